/* What this program calls itself, in files that it writes. */
#ifndef LB_BASE_VERSION_H
#define LB_BASE_VERSION_H

#define LOCKBENCH_VERSION "0.1.0"

#endif
