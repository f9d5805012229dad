#define TORCHVIN_ISA plain
#include "graph_update.inc"
