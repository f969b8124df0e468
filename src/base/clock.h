/* Monotonic time, for deadlines and durations. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Milliseconds since some fixed point; never goes back. */
long long clock_ms(void);

#endif
