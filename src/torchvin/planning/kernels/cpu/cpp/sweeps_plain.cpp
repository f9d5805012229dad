#define TORCHVIN_ISA plain
#include "sweeps.inc"
