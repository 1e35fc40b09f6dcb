#include "calc.h"

long calc_add(long a, long b) { return a + b; }

long calc_multiply(long a, long b) { return a * b; }

long calc_divide(long a, long b, int *ok)
{
    *ok = b != 0;
    return *ok ? a / b : 0;
}
