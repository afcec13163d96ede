/* Signals. See interrupt.h. */
#include "base/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/progress.h"

static volatile sig_atomic_t arrived;
#define TIME_USED "the processor time that this process may use is spent (ulimit -t)"

static double allowed, deadline; /* seconds; by now_seconds() */

static void on_signal(int sig)
{
	if (arrived)
		_exit(128 + sig);
	arrived = sig;
}

static struct timeval to_timeval(double seconds)
{
	const time_t whole = (time_t)seconds;

	return (struct timeval){ whole, (suseconds_t)((seconds - (double)whole) * 1e6) };
}

/* Once more, and work did not come to an end between the two: now, before the system kills. */
static void on_time_used(int sig)
{
	(void)sig;
	if (arrived)
		die_now(EXIT_MEMORY, TIME_USED);
	arrived = SIGXCPU;
}

/* At its hard limit of processor time a process is killed, and `ulimit -t` sets hard and soft to the same: so that
 * work can end in order and say why, it is told before that, by a clock that counts the same time. */
static void watch_processor_time(void)
{
	struct sigaction told = { .sa_handler = on_time_used };
	struct rlimit r;
	struct itimerval at = { 0 };
	double limit, early;

	if (getrlimit(RLIMIT_CPU, &r) < 0 || r.rlim_cur == RLIM_INFINITY)
		return;
	limit = r.rlim_cur ? (double)r.rlim_cur : 1; /* the system's least */
	early = limit < 8 ? limit / 2 : 4;
	sigemptyset(&told.sa_mask);
	sigaction(SIGPROF, &told, NULL);
	sigaction(SIGXCPU, &told, NULL);
	at.it_value = to_timeval(limit - early);
	at.it_interval = to_timeval(early / 2);
	setitimer(ITIMER_PROF, &at, NULL);
}

void interrupt_install(void)
{
	/* No SA_RESTART: a process that sleeps in waitpid() or poll() must wake to see the flag. */
	struct sigaction stop = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

	arrived = 0;
	sigemptyset(&stop.sa_mask);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	watch_processor_time();
}

void interrupt_after(double seconds)
{
	allowed = seconds;
	deadline = now_seconds() + seconds;
}

bool interrupt_pending(void)
{
	return arrived || (allowed > 0 && now_seconds() > deadline);
}

int interrupt_check(void)
{
	if (!interrupt_pending())
		return 0;
	if (!arrived)
		return error(EXIT_UNEVALUABLE, "the budget of %.3g s is spent", allowed);
	if (arrived == SIGXCPU)
		return error(EXIT_MEMORY, TIME_USED);
	return arrived == SIGINT ? error(EXIT_SIGINT, "interrupted")
				 : error(EXIT_SIGTERM, "ended by signal %d", (int)arrived);
}

int interrupt_signal(void)
{
	return arrived;
}
