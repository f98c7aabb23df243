// The system calls and structures that Swift cannot reach by itself.
#pragma once
#include <errno.h>
#include <sys/types.h>
#include "event_sources.h"
