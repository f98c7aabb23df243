// The system calls and structures that Swift cannot reach by itself.
//
// Few headers are included here: what a header of this module brings in belongs to it in Swift's eyes, and then the
// same structure would be found in two modules.
#pragma once
#include <errno.h>
#include <stdint.h>
#include <sys/types.h>

#include "CLinuxCalls.h"
#include "CLinuxProgram.h"
#include "datagrams.h"
#include "event_sources.h"
