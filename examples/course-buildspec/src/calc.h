#ifndef CALC_H
#define CALC_H

long calc_add(long a, long b);
long calc_multiply(long a, long b);

/* Divides, and says so in `ok` when that can't be done. */
long calc_divide(long a, long b, int *ok);

#endif
