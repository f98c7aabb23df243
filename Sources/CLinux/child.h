// What the two halves of process creation know of each other: spawn.c makes the child, operations.c is what it runs.
#pragma once
#include "CLinuxProgram.h"

/// Runs the program in the child and reports a failure on `report`. Ends with exec or exit.
_Noreturn void stack_run_program(const struct stack_program *program, int report);
