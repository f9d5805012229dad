#define TORCHVIN_ISA avx512
#define TORCHVIN_GATHER
#include "graph_update.inc"
