/* R's memory as the engine sees it: the address of a vector, and a raw vector that is made when first needed. */
#include <stdint.h>
#include "mxtune.h"

/* The address of a vector's values. A user-space address fits a double exactly. */
SEXP mxtune_address(SEXP x) {
  const void *at = NULL;
  switch (TYPEOF(x)) {
  case REALSXP: at = REAL_RO(x); break;
  case INTSXP: at = INTEGER_RO(x); break;
  case LGLSXP: at = LOGICAL_RO(x); break;
  case CPLXSXP: at = COMPLEX_RO(x); break;
  case RAWSXP: at = RAW_RO(x); break;
  default: Rf_error("only vectors of numbers have an address");
  }
  return Rf_ScalarReal((double) (uintptr_t) at);
}

/* A model carries its bytes so that saveRDS() just works, but most models are never saved and R offers no hook
   before serialisation. So the bytes are an ALTREP raw vector: its function runs when something first looks. A second
   function may give something to serialise in their place, of which `lazy_bytes()` makes such a vector again. */
static R_altrep_class_t lazy_raw;

static SEXP lazy_value(SEXP x) {
  SEXP value = R_altrep_data2(x);
  if (value == R_NilValue) {
    SEXP call = PROTECT(Rf_lang1(CAR(R_altrep_data1(x))));
    value = PROTECT(Rf_eval(call, R_BaseEnv));
    if (TYPEOF(value) != RAWSXP) Rf_error("the function of a lazy raw vector must return a raw vector");
    R_set_altrep_data2(x, value);
    R_set_altrep_data1(x, R_NilValue);
    UNPROTECT(2);
  }
  return value;
}

static R_xlen_t lazy_length(SEXP x) { return XLENGTH(lazy_value(x)); }

static void *lazy_dataptr(SEXP x, Rboolean writable) { return (void *) RAW(lazy_value(x)); }

static const void *lazy_dataptr_or_null(SEXP x) {
  SEXP value = R_altrep_data2(x);
  return value == R_NilValue ? NULL : (const void *) RAW_RO(value);
}

static Rboolean lazy_inspect(SEXP x, int pre, int deep, int pvec, void (*sub)(SEXP, int, int, int)) {
  Rprintf("lazy raw vector, %s\n", R_altrep_data2(x) == R_NilValue ? "not made yet" : "made");
  return TRUE;
}

static SEXP lazy_serialized_state(SEXP x) {
  if (R_altrep_data2(x) != R_NilValue) return NULL;
  SEXP call = PROTECT(Rf_lang1(CDR(R_altrep_data1(x))));
  SEXP state = Rf_eval(call, R_BaseEnv);
  UNPROTECT(1);
  return state == R_NilValue ? NULL : state;
}

static SEXP lazy_unserialize(SEXP class, SEXP state) {
  SEXP home = PROTECT(Rf_lang3(Rf_install(":::"), Rf_install("mxtune"), Rf_install("lazy_bytes")));
  SEXP call = PROTECT(Rf_lang2(home, state));
  SEXP lazy = Rf_eval(call, R_BaseEnv);
  UNPROTECT(2);
  return lazy;
}

SEXP mxtune_lazy_raw(SEXP make, SEXP instead) {
  SEXP functions = PROTECT(Rf_cons(make, instead));
  SEXP lazy = R_new_altrep(lazy_raw, functions, R_NilValue);
  UNPROTECT(1);
  return lazy;
}

SEXP mxtune_is_made(SEXP x) {
  return Rf_ScalarLogical(!ALTREP(x) || R_altrep_data2(x) != R_NilValue);
}

void mxtune_init_memory(DllInfo *dll) {
  lazy_raw = R_make_altraw_class("lazy_raw", "mxtune", dll);
  R_set_altrep_Length_method(lazy_raw, lazy_length);
  R_set_altrep_Serialized_state_method(lazy_raw, lazy_serialized_state);
  R_set_altrep_Unserialize_method(lazy_raw, lazy_unserialize);
  R_set_altrep_Inspect_method(lazy_raw, lazy_inspect);
  R_set_altvec_Dataptr_method(lazy_raw, lazy_dataptr);
  R_set_altvec_Dataptr_or_null_method(lazy_raw, lazy_dataptr_or_null);
}
