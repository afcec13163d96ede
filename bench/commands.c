/* The table of commands: commands.def, nothing else. */
#include "bench/cli.h"

#define COMMAND(x) extern const struct cli_command command_##x;
#include "bench/commands.def"
#undef COMMAND

#define COMMAND(x) &command_##x,
const struct cli_command *const commands[] = {
#include "bench/commands.def"
	NULL
};
#undef COMMAND
