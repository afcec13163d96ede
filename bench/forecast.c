/* See forecast.h. The judge's part follows bench/evaluate.c, attacked.c and degrade.c; what it rounds off is small beside training. */
#include "bench/forecast.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/tile.h"
#include "bench/applies.h"
#include "bench/search.h"

#define FIXED 1500.0      /* reading artefacts, hashing, writing the cell */
#define NOTHING 100.0     /* a cell that says n/a */
#define PROBE 200.0       /* questions that show whether a key is of use (judge.c) */
#define WRONG_KEYS 20.0   /* and how many wrong ones, of as many ... */
#define RANDOM_KEYS 200.0 /* ... and random ones, are tried (evaluate.c) */
#define IMPOSTORS 10000.0 /* clean images submitted as credentials, at most */
#define CHANNEL 4.0       /* an image through a JPEG codec or a filter, and its distances */
#define RARE 0.2          /* share of schemes in which an attack finds what it must */
#define OWNER 0.8         /* share of the training images that are the owner's (dataset.h) */

/* ---- options ---- */

/* A number among the options of a driver. */
static double number(const struct opt *opts, const void *conf, const char *name, double def)
{
	const struct opt *o = opts ? opt_find(opts, name) : NULL;
	const char *at = o ? (const char *)conf + o->offset : NULL;

	if (!o || (o->type != OPT_INT && o->type != OPT_FLOAT))
		return def;
	return o->type == OPT_INT ? *(const int *)(const void *)at : *(const double *)(const void *)at;
}

/* What the options that all drivers name alike let expect: training for `epochs` (and at least `steps` steps of `batch`) on `images`. */
static double usual_cost(const struct attack *a, const void *conf, const struct expected *e)
{
	const struct opt *o = a->drv.opts;
	double n = number(o, conf, "images", number(o, conf, "queries", number(o, conf, "pairs", 0)));
	double steps = 0, cost;

	n = fmin(n, e->pool) * number(o, conf, "fraction", 1);
	if (o && opt_find(o, "batch"))
		steps = number(o, conf, "steps", 0) * number(o, conf, "batch", 0);
	cost = 3 * fmax(n * (number(o, conf, "epochs", 0) + number(o, conf, "l2-epochs", 0)), steps);
	return cost + n + 3 * number(o, conf, "tune-epochs", 0) * fmin(number(o, conf, "tune-images", 0), e->pool);
}

/* ---- schemes ---- */

struct sizes { double owner, pool, val, test; };

static struct sizes sizes_of(const struct point *p, const struct facts *f)
{
	const double train = p->limit_train ? p->limit_train : f->ntrain;

	return (struct sizes){ OWNER * train, train / 6, train / 60, p->limit_test ? p->limit_test : f->ntest };
}

static struct burden burden_of(const struct point *p, const struct facts *f)
{
	const struct sizes z = sizes_of(p, f);
	const struct burdened e = { (int)z.owner, &p->recipe, p->spec, f->macs };
	const struct scheme *s = p->scheme;
	const double training = 3 * z.owner * p->recipe.epochs;
	struct burden b = { .enrol = 1, .unlock = s->unlock ? 10 : 0, .prepare = s->prepare ? 10 : 0 };
	void *conf = driver_conf(&s->drv, p->scheme_options);

	b.lock = s->decl.deployment == DEPLOY_POSTHOC ? 100 : s->decl.deployment == DEPLOY_FINETUNE ? training / 4 : training;
	if (s->burden && conf)
		s->burden(conf, &e, &b);
	free(conf);
	error_clear();
	return b;
}

/* ---- cells ---- */

/* Judging n credentials. Where nobody asks for them, those of a user are one, and a probe of images shows its use. */
static double judged(const struct point *p, const struct burden *b, double n, double different)
{
	if (p->scheme->authenticate)
		return n;
	return p->scheme->unlock || p->scheme->prepare ? different * (PROBE * (1 + b->prepare) + b->unlock) : 0;
}

/* What every cell begins with: the issued credentials, and the test images of their holders. */
static double opened(const struct point *p, const struct sizes *z, const struct burden *b)
{
	const double users = p->users;

	return judged(p, b, users * p->per_user, users) + z->test * (1 + (users > 0 ? b->prepare : 0)) + users * b->unlock;
}

static double functional(const struct point *p, const struct sizes *z, const struct burden *b)
{
	const bool keys = p->scheme->unlock || p->scheme->prepare || p->scheme->wrong_keys;
	double cost = opened(p, z, b) + 2 * z->test;

	if (!p->users)
		return cost;
	if (keys)
		cost += WRONG_KEYS * (b->unlock + fmin(z->test, 1000) * (1 + b->prepare));
	return cost + (p->scheme->authenticate ? fmin(z->test, IMPOSTORS) : judged(p, b, RANDOM_KEYS, fmin(z->test, RANDOM_KEYS)));
}

static double attack_cost(const struct point *p, const struct facts *f, const struct sizes *z, const void *conf)
{
	const struct expected e = { (int)z->pool, (int)z->val, p->users, p->users * p->per_user, f->macs, p->spec };
	const double one = p->attack->cost ? p->attack->cost(conf, &e) : usual_cost(p->attack, conf, &e);
	const int space = search_space(p->attack), n = p->attacker.search;

	return n > 1 ? one * (n < space ? n : space) : one;
}

static double attacked(const struct point *p, const struct facts *f, const struct sizes *z, const struct burden *b)
{
	void *conf = driver_conf(&p->attack->drv, p->attack_options);
	const double open = opened(p, z, b), users = p->users;
	const unsigned needs = point_needs(p);
	double cost, made;

	if (!conf)
		return NOTHING;
	cost = open + attack_cost(p, f, z, conf);
	made = number(p->attack->drv.opts, conf, "tries", number(p->attack->drv.opts, conf, "draws", 1));
	if (needs & CAP_INSTANCE)
		cost += fmin(users, 30) * b->unlock;
	if (needs & CAP_PAIR)
		cost += fmin(z->pool, 2000) * b->prepare;
	if (p->attack->goal == GOAL_DEGRADE)
		cost += open + z->test * (1 + CHANNEL);
	else if (p->attack->goal == GOAL_REMOVE)
		cost += z->test + judged(p, b, users * p->per_user, users);
	else if (p->attack->goal == GOAL_USE)
		cost += 2 * z->test;
	else
		cost += judged(p, b, made, fmin(made, 20));
	free(conf);
	return p->attack->finds ? RARE * cost : cost;
}

double forecast(const struct point *p, enum stage s, const struct facts *f)
{
	const struct sizes z = sizes_of(p, f);
	struct burden b;
	char why[256];

	if (s == STAGE_BASE)
		return FIXED + 3 * z.owner * p->recipe.epochs;
	if (s == STAGE_CELL && point_inapplicable(p, why))
		return NOTHING;
	b = burden_of(p, f);
	if (s == STAGE_LOCKED)
		return FIXED + b.lock;
	if (s == STAGE_CREDS)
		return FIXED + (double)p->users * p->per_user * b.enrol;
	return FIXED + (p->attack ? attacked(p, f, &z, &b) : functional(p, &z, &b));
}

/* ---- how fast this machine is ---- */

#define ENOUGH 0.1 /* seconds that say how fast it is */
#define FEW 64     /* images to begin with */
#define MOST 1024  /* images at a time; more are the same again: a small, fast network must not want much memory */

static double processor_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds to train m on n grey images, `epochs` times; negative after error(). */
static double train_for_a_moment(struct model *m, int n, int epochs)
{
	const struct model_spec *s = &m->spec;
	const struct train_conf c = { .epochs = epochs, .batch = 64, .optimizer = OPTIM_ADAM, .lr = 1e-4,
				      .schedule = SCHEDULE_CONSTANT };
	const size_t len = (size_t)s->c * (size_t)s->h * (size_t)s->w;
	uint8_t *px = memset(xmalloc((size_t)n * len, 1), 100, (size_t)n * len), *labels = xcalloc((size_t)n, 1);
	const struct images v = { .n = n, .c = s->c, .h = s->h, .w = s->w, .classes = s->classes, .px = px, .labels = labels };
	const double start = processor_seconds();
	const int ret = train(m, &v, &c, 1, NULL, NULL, NULL);

	free(px);
	free(labels);
	return ret < 0 ? -1 : processor_seconds() - start;
}

static double measure(const struct model_spec *spec)
{
	struct model *m = model_new_init(spec, INIT_TORCH, 1);
	const int threads = tile_threads_get();
	double seconds = m ? 0 : -1;
	int n = FEW, epochs = 1;

	tile_threads(1);
	while (seconds >= 0) {
		seconds = train_for_a_moment(m, n, epochs);
		if (seconds < 0 || seconds > ENOUGH)
			break;
		if (n < MOST)
			n *= 4;
		else
			epochs *= 4;
	}
	tile_threads(threads);
	model_free(m);
	return seconds < 0 ? -1 : seconds / (3.0 * n * epochs);
}

static void say_nothing(enum lb_exit code, const char *text)
{
	(void)code, (void)text;
}

/* In the child: it tells the rate or, where it cannot, nothing. */
_Noreturn static void measure_and_tell(const struct model_spec *spec, int to, pid_t parent)
{
	double rate;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_NO);
	die_words = say_nothing;
	rate = measure(spec);
	_exit(rate > 0 && write(to, &rate, sizeof(rate)) == (ssize_t)sizeof(rate) ? EXIT_YES : EXIT_NO);
}

/* What the child tells; Ctrl-C ends it. */
static double listen_to(pid_t pid, int from)
{
	double rate = -1;
	ssize_t n;

	while ((n = read(from, &rate, sizeof(rate))) < 0 && errno == EINTR)
		if (interrupt_signal())
			kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return n == (ssize_t)sizeof(rate) ? rate : -1;
}

double calibrate(const struct model_spec *spec)
{
	const pid_t parent = getpid();
	double rate = -1;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		measure_and_tell(spec, ends[1], parent);
	close(ends[1]);
	if (pid > 0)
		rate = listen_to(pid, ends[0]);
	close(ends[0]);
	return rate;
}
