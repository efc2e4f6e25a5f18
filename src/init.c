#include "mxtune.h"

static const R_CallMethodDef calls[] = {
  {"mxtune_address", (DL_FUNC) &mxtune_address, 1},
  {"mxtune_lazy_raw", (DL_FUNC) &mxtune_lazy_raw, 2},
  {"mxtune_is_made", (DL_FUNC) &mxtune_is_made, 1},
  {"mxtune_python_runs", (DL_FUNC) &mxtune_python_runs, 0},
  {"mxtune_repair_decref", (DL_FUNC) &mxtune_repair_decref, 1},
  {"mxtune_repair_thread", (DL_FUNC) &mxtune_repair_thread, 1},
  {"mxtune_hosted_ends", (DL_FUNC) &mxtune_hosted_ends, 0},
  {"mxtune_rebind", (DL_FUNC) &mxtune_rebind, 3},
  {NULL, NULL, 0}
};

void R_init_mxtune(DllInfo *dll) {
  R_registerRoutines(dll, NULL, calls, NULL, NULL);
  R_useDynamicSymbols(dll, FALSE);
  R_forceSymbols(dll, TRUE);
  mxtune_init_memory(dll);
}
