#define TORCHVIN_ISA avx512
#include "sweeps.inc"
