#define TORCHVIN_ISA avx512
#include "graph_update.inc"
