// The system calls and structures that Swift cannot reach by itself.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/types.h>

#include "CLinuxCalls.h"
#include "CLinuxProgram.h"
#include "event_sources.h"
