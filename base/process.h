/* What a process was given by who started it, made fit to work with: descriptors, stack, memory, signals. */
#ifndef LB_BASE_PROCESS_H
#define LB_BASE_PROCESS_H

/* Bytes of stack that every thread has at least: several times what the deepest calls take. */
#define STACK_BYTES ((unsigned long)1 << 20)

/* Once, first thing in main(). Descriptors 0 to 2 are open, on /dev/null where they were closed; a file that grows
 * beyond its limit is an error of write() instead of a signal; the stack of the main thread is there to its full
 * STACK_BYTES. Ends the process with EXIT_MEMORY when there is no room for it. */
void process_begin(void);

/* From here on this process and its children have at most this many bytes of address space; a lower limit stays. */
void process_limit_memory(double bytes);

#endif
