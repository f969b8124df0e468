/* Amounts of a resource ("500m", "10Gi", "1e3"), as of apimachinery's api/resource/quantity.go. */
#ifndef OBJECT_QUANTITY_H
#define OBJECT_QUANTITY_H

/* The number that a quantity stands for; 0 for what is none (see syntax_quantity()). */
double quantity_value(const char *text);

/* Less than, equal to or more than 0, as a is to b. Exact up to 2^53. */
int quantity_compare(const char *a, const char *b);

#endif
