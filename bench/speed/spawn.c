/* See spawn.h. */
#include "bench/speed/spawn.h"
#include "base/error.h"
#include "base/json.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX 65536
#define CHILD "LOCKBENCH_SPEED_CHILD" /* set in children: one that starts itself again would fill the machine */

static _Noreturn void become(char *const argv[], int in, int out, const char *core, bool quiet)
{
	const int null = quiet ? open("/dev/null", O_WRONLY) : -1;

	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	if (null >= 0)
		dup2(null, STDERR_FILENO);
	if (strcmp(argv[0], SELF) != 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	setenv(CHILD, "1", 1);
	setenv("OPENBLAS_NUM_THREADS", "1", 1);
	if (core)
		setenv("OPENBLAS_CORETYPE", core, 1);
	else
		unsetenv("OPENBLAS_CORETYPE");
	execv("/proc/self/exe", argv);
	_exit(127);
}

int child_start(struct child *c, char *const argv[], const char *core, bool quiet)
{
	int in[2], out[2];

	BUG_ON(!argv[0] || getenv(CHILD));
	if (pipe2(in, O_CLOEXEC))
		return error(EXIT_IO, "cannot make a pipe: %s", strerror(errno));
	if (pipe2(out, O_CLOEXEC)) {
		close(in[0]);
		close(in[1]);
		return error(EXIT_IO, "cannot make a pipe: %s", strerror(errno));
	}
	fflush(NULL);
	*c = (struct child){ .in = in[1], .out = out[0], .pid = fork() };
	if (c->pid == 0)
		become(argv, in[0], out[1], core, quiet);
	close(in[0]);
	close(out[1]);
	if (c->pid > 0)
		return 0;
	close(in[1]);
	close(out[0]);
	return error(EXIT_MEMORY, "cannot start a process: %s", strerror(errno));
}

void child_ask(const struct child *c)
{
	while (write(c->in, "\n", 1) < 0 && errno == EINTR)
		; /* what else goes wrong shows in the answer */
}

json_t *child_answer(const struct child *c)
{
	char line[512];
	size_t len = 0;
	json_t *answer;
	ssize_t got;

	while (len + 1 < sizeof(line)) {
		got = read(c->out, line + len, 1); /* not a byte more than this line */
		if (got < 0 && errno == EINTR)
			continue;
		if (got != 1)
			return NULL;
		if (line[len] == '\n')
			break;
		len++;
	}
	answer = json_read_text(line, len, "output of a child");
	error_clear();
	return answer;
}

/* The last line of text, which loses its end. */
static char *last_line(char *text, size_t len)
{
	char *at;

	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	at = strrchr(text, '\n');
	return at ? at + 1 : text;
}

json_t *child_read(struct child *c, int *status)
{
	char *text = xmalloc(OUTPUT_MAX + 1, 1), *line, rest[512];
	json_t *answer = NULL;
	size_t len = 0;
	ssize_t got;

	close(c->in);
	while ((got = read(c->out, text + len, OUTPUT_MAX - len)) > 0 || (got < 0 && errno == EINTR))
		len += got > 0 ? (size_t)got : 0;
	while (read(c->out, rest, sizeof(rest)) > 0)
		; /* more than anybody should say: let it end */
	close(c->out);
	while (waitpid(c->pid, status, 0) < 0 && errno == EINTR)
		;
	text[len] = '\0';
	line = last_line(text, len);
	if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0 && *line == '{') {
		answer = json_read_text(line, strlen(line), "output of a child");
		error_clear();
	}
	free(text);
	return answer;
}

json_t *child_run(char *const argv[], const char *core, bool quiet, int *status)
{
	struct child c;

	*status = 0;
	return child_start(&c, argv, core, quiet) ? NULL : child_read(&c, status);
}
