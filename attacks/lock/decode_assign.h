/* The assignment problem (Kuhn 1955, in its shortest-path form). */
#ifndef LB_ATTACKS_LOCK_DECODE_ASSIGN_H
#define LB_ATTACKS_LOCK_DECODE_ASSIGN_H

/* The bijection of k rows to k columns that collects most of count (k, k): to (k). Of two that collect as much, the one that leaves more
 * rows where they are. */
void assign_most(const int *count, int k, int *to);

#endif
