#ifndef MXTUNE_H
#define MXTUNE_H
#include <R.h>
#include <Rinternals.h>
#include <R_ext/Altrep.h>

SEXP mxtune_address(SEXP x);
SEXP mxtune_lazy_raw(SEXP make, SEXP instead);
SEXP mxtune_is_made(SEXP x);
SEXP mxtune_python_runs(void);
SEXP mxtune_repair_decref(SEXP path);
SEXP mxtune_repair_thread(SEXP path);
SEXP mxtune_hosted_ends(void);
SEXP mxtune_rebind(SEXP name, SEXP value, SEXP env);
void mxtune_init_memory(DllInfo *dll);
#endif
