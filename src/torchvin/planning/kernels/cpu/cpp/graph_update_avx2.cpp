#define TORCHVIN_ISA avx2
#include "graph_update.inc"
