/* Signals. See interrupt.h. */
#include "base/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/error.h"

static volatile sig_atomic_t arrived;

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

int interrupt_check(void)
{
	if (!arrived)
		return 0;
	return arrived == SIGINT ? error(EXIT_SIGINT, "interrupted")
				 : error(EXIT_SIGTERM, "ended by signal %d", (int)arrived);
}

int interrupt_signal(void)
{
	return arrived;
}
