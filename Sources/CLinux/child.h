// Shared by the two halves of process creation: spawn.c makes the child, operations.c is what it runs.
#pragma once
#include "CLinuxProgram.h"

/// Runs the program in the child and reports a failure on `report`. Ends with exec or exit.
_Noreturn void stack_run_program(const struct stack_program *program, int report);

/// Does what `options` say to the network namespace of the calling thread, and answers a descriptor to it.
int stack_netns_fill(int proc, unsigned options);
