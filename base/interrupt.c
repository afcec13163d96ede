/* Signals. See interrupt.h. */
#include "base/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/error.h"
#include "base/progress.h"

static volatile sig_atomic_t arrived;
static double allowed, deadline; /* seconds; by now_seconds() */

static void on_signal(int sig)
{
	if (arrived)
		_exit(128 + sig);
	arrived = sig;
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
	return arrived == SIGINT ? error(EXIT_SIGINT, "interrupted")
				 : error(EXIT_SIGTERM, "ended by signal %d", (int)arrived);
}

int interrupt_signal(void)
{
	return arrived;
}
