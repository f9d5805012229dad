#define TORCHVIN_ISA avx2
#include "sweeps.inc"
