/* Tables in what ships: tensors of integers with as many rows each, row i of one belonging to row i of the others.
 * Rows stand in ascending order and none of them twice, so a table does not tell in which order, or how often, its
 * rows were added. */
#ifndef LB_SCHEMES_KIT_TABLE_H
#define LB_SCHEMES_KIT_TABLE_H

#include "nn/bundle.h"

/* Add rows to the table in b. rows: a bundle of nothing but the table's tensors. They are compared by the tensor
 * `key`, number by number, and then by the others. */
void table_add(struct bundle *b, const char *key, const struct bundle *rows);
/* The row whose numbers in the tensor `key` are those of `row`; -1: none, or the tensor is not of that type and
 * width. Other tensors of what somebody else wrote may have fewer rows: see to it before reading them there. */
int table_find(const struct bundle *b, const char *key, enum dtype type, size_t width, const void *row);

#endif
