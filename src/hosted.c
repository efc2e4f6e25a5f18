/* R inside a Python process (rpy2). rpy2 releases Python's lock around every call into R, and reticulate before
   1.31 drops references to Python objects in R's finalizers without taking it back: any garbage collection of R may
   end the process. And a thread of reticulate asks Python twice a second to be called back, also when Python is gone:
   now and then the process dies at its end. The cure: reticulate calls Python through a table of pointers; ours take
   the lock first, and ask no more once R has ended. */
#define _GNU_SOURCE
#include "mxtune.h"

#if defined(__linux__) || defined(__FreeBSD__)
#include <dlfcn.h>
#define HAVE_ELF 1
#endif

#ifdef HAVE_ELF
static int (*take_lock)(void);
static void (*give_lock)(int);
static void (*decref)(void *);

static void locked_decref(void *object) {
  if (!object) return;
  int state = take_lock();
  decref(object);
  give_lock(state);
}

static int (*ask)(int (*)(void *), void *);
static volatile int ended;

static int ask_until_end(int (*call)(void *), void *with) {
  return ended ? 0 : ask(call, with);
}

/* A pointer in reticulate's table, by its mangled name; NULL where this reticulate has none. */
static void **pointer_of_reticulate(SEXP path, const char *name) {
  void *library = dlopen(CHAR(STRING_ELT(path, 0)), RTLD_NOW | RTLD_NOLOAD);
  if (!library) return NULL;
  void **slot = (void **) dlsym(library, name);
  dlclose(library); /* RTLD_NOLOAD counted one more user; reticulate itself keeps the library open */
  return slot && *slot ? slot : NULL;
}
#endif

/* Is a Python interpreter already alive in this process? */
SEXP mxtune_python_runs(void) {
#ifdef HAVE_ELF
  int (*alive)(void) = (int (*)(void)) dlsym(RTLD_DEFAULT, "Py_IsInitialized");
  return Rf_ScalarLogical(alive != NULL && alive());
#else
  return Rf_ScalarLogical(NA_LOGICAL);
#endif
}

/* path: reticulate's shared object. TRUE when its way of dropping references is now safe. */
SEXP mxtune_repair_decref(SEXP path) {
#ifdef HAVE_ELF
  void **slot = pointer_of_reticulate(path, "_ZN10reticulate9libpython9Py_DecRefE");
  take_lock = (int (*)(void)) dlsym(RTLD_DEFAULT, "PyGILState_Ensure");
  give_lock = (void (*)(int)) dlsym(RTLD_DEFAULT, "PyGILState_Release");
  int found = slot && take_lock && give_lock;
  if (found && *slot != (void *) locked_decref) {
    decref = (void (*)(void *)) *slot;
    *slot = (void *) locked_decref;
  }
  return Rf_ScalarLogical(found);
#else
  return Rf_ScalarLogical(0);
#endif
}

/* path: reticulate's shared object. TRUE when its thread is heard only as long as mxtune_hosted_ends() is not called. */
SEXP mxtune_repair_thread(SEXP path) {
#ifdef HAVE_ELF
  void **slot = pointer_of_reticulate(path, "_ZN10reticulate9libpython17Py_AddPendingCallE");
  if (slot && *slot != (void *) ask_until_end) {
    ask = (int (*)(int (*)(void *), void *)) *slot;
    *slot = (void *) ask_until_end;
  }
  return Rf_ScalarLogical(slot != NULL);
#else
  return Rf_ScalarLogical(0);
#endif
}

SEXP mxtune_hosted_ends(void) {
#ifdef HAVE_ELF
  ended = 1;
#endif
  return R_NilValue;
}

/* Put value in the place of a locked binding (reticulate's exit hook from 1.31 on keeps Python's lock). */
SEXP mxtune_rebind(SEXP name, SEXP value, SEXP env) {
  SEXP symbol = Rf_installTrChar(STRING_ELT(name, 0));
  Rboolean locked = R_BindingIsLocked(symbol, env);
  if (locked) R_unLockBinding(symbol, env);
  Rf_defineVar(symbol, value, env);
  if (locked) R_LockBinding(symbol, env);
  return R_NilValue;
}
