// SPDX-License-Identifier: GPL-2.0
/* vgpu-smi: the command line. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vgpu-smi.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof(*(array)))

/* Keys of options that have no letter. */
enum {
	KEY_JSON = 0x100,
	KEY_SYSFS,
	KEY_SET,
	KEY_RESET,
	KEY_SAVE,
	KEY_DIR,
	KEY_FILE,
	KEY_HEAD,
	KEY_CURSOR,
};

/* A file has room for more heads, but no vGPU has. */
#define SMI_HEAD_MAX	255

const char *argp_program_version = "vgpu-smi " SMI_VERSION;

static const struct smi_verb {
	const char *name;
	int (*run)(const struct smi_options *options);
} smi_verbs[] = {
	{ "list", smi_list },
	{ "types", smi_types },
	{ "ecc", smi_ecc },
	{ "retired-pages", smi_retired_pages },
	{ "screenshot", smi_screenshot },
};

static const struct argp_option smi_argp_options[] = {
	{ 0, 0, 0, 0, "Every verb:", 1 },
	{ "gpu", 'g', "ADDRESS", 0,
	  "Only the GPU with this PCI address (dddd:bb:dd.f)", 1 },
	{ "json", KEY_JSON, 0, 0, "Print JSON", 1 },
	{ "sysfs", KEY_SYSFS, "DIR", 0, "Where sysfs is (default /sys)", 1 },
	{ 0, 0, 0, 0, "ecc:", 2 },
	{ "set", KEY_SET, "on|off", 0,
	  "ECC from the next reset of the GPU on", 2 },
	{ "reset", KEY_RESET, 0, 0,
	  "Reset the GPU, of which no vGPU may be open", 2 },
	{ 0, 0, 0, 0, "retired-pages:", 3 },
	{ "save", KEY_SAVE, 0, 0,
	  "Save the list, for the driver to find when it binds the GPU again",
	  3 },
	{ "dir", KEY_DIR, "DIR", 0,
	  "Where to save (default " SMI_DEFAULT_DIR ")", 3 },
	{ "file", KEY_FILE, "FILE", 0, "Show a saved list, not a GPU's", 3 },
	{ 0, 0, 0, 0, "screenshot:", 4 },
	{ "uuid", 'u', "UUID", 0, "Of this vGPU", 4 },
	{ "head", KEY_HEAD, "N", 0, "Of this head (default 0)", 4 },
	{ "cursor", KEY_CURSOR, 0, 0, "With the cursor", 4 },
	{ 0, 0, 0, 0, "Help:", -1 },
	{ 0 }
};

struct smi_command {
	struct smi_options options;
	const struct smi_verb *verb;
	bool has_head;
};

static const struct smi_verb *smi_find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(smi_verbs); i++)
		if (!strcmp(smi_verbs[i].name, name))
			return &smi_verbs[i];
	return NULL;
}

static bool smi_parse_head(const char *text, uint32_t *head)
{
	uint64_t number;

	if (!smi_parse_u64(&text, &number) || *text || number > SMI_HEAD_MAX)
		return false;
	*head = number;
	return true;
}

/* The verb, and with screenshot a file. */
static void smi_parse_word(struct smi_command *command, char *word,
			   struct argp_state *state)
{
	struct smi_options *options = &command->options;

	if (!command->verb) {
		command->verb = smi_find_verb(word);
		if (!command->verb)
			argp_error(state, "%s: no such verb", word);
	} else if (command->verb->run != smi_screenshot) {
		argp_error(state, "%s: one verb is enough", word);
	} else if (options->picture) {
		argp_error(state, "%s: one file is enough", word);
	} else if (!*word) {
		argp_error(state, "screenshot: the name of the file is empty");
	} else {
		options->picture = word;
	}
}

/* Options may come before their verb, so this waits for the end. */
static void smi_check_command(const struct smi_command *command,
			      struct argp_state *state)
{
	const struct smi_options *options = &command->options;

	if (command->verb->run != smi_ecc && (options->set || options->reset))
		argp_error(state, "--set and --reset are for the verb ecc");
	if (command->verb->run != smi_retired_pages &&
	    (options->save || options->dir || options->file))
		argp_error(state, "--save, --dir and --file are for the verb "
			   "retired-pages");
	if (options->dir && !options->save)
		argp_error(state, "--dir is for --save");
	if (options->file && (options->save || options->gpu))
		argp_error(state, "--file is not for --save or --gpu");
	if (command->verb->run != smi_screenshot) {
		if (options->uuid || command->has_head || options->cursor)
			argp_error(state, "--uuid, --head and --cursor are for "
				   "the verb screenshot");
		return;
	}
	if (options->gpu || options->json)
		argp_error(state, "--gpu and --json are not for the verb "
			   "screenshot");
	if (!options->uuid)
		argp_error(state, "screenshot: of which vGPU? (--uuid)");
	if (!options->picture)
		argp_error(state, "screenshot: to which file?");
}

static error_t smi_parse_option(int key, char *arg, struct argp_state *state)
{
	struct smi_command *command = state->input;
	struct smi_options *options = &command->options;

	switch (key) {
	case 'g':
		if (!smi_is_address(arg))
			argp_error(state, "%s: not a PCI address "
				   "(dddd:bb:dd.f)", arg);
		options->gpu = arg;
		return 0;
	case KEY_JSON:
		options->json = true;
		return 0;
	case KEY_SYSFS:
		options->sysfs = arg;
		return 0;
	case KEY_SET:
		if (!strcmp(arg, "on"))
			options->set = "1";
		else if (!strcmp(arg, "off"))
			options->set = "0";
		else
			argp_error(state, "--set: %s: neither on nor off", arg);
		return 0;
	case KEY_RESET:
		options->reset = true;
		return 0;
	case KEY_SAVE:
		options->save = true;
		return 0;
	case KEY_DIR:
		if (!*arg)
			argp_error(state, "--dir: empty");
		options->dir = arg;
		return 0;
	case KEY_FILE:
		options->file = arg;
		return 0;
	case 'u':
		if (!smi_is_uuid(arg))
			argp_error(state, "%s: not a UUID", arg);
		options->uuid = arg;
		return 0;
	case KEY_HEAD:
		if (!smi_parse_head(arg, &options->head))
			argp_error(state, "--head: %s: not the number of a "
				   "head", arg);
		command->has_head = true;
		return 0;
	case KEY_CURSOR:
		options->cursor = true;
		return 0;
	case ARGP_KEY_ARG:
		smi_parse_word(command, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (!command->verb)
			command->verb = &smi_verbs[0];
		smi_check_command(command, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp smi_argp = {
	.options = smi_argp_options,
	.parser = smi_parse_option,
	.args_doc = "[list|types|ecc|retired-pages]\nscreenshot -u UUID FILE",
	.doc = "Show the GPUs of the vgpu driver, their vGPUs, the state of "
	       "their memory, and what a vGPU shows."
	       "\v"
	       "list           GPUs and their vGPUs; without a verb, too\n"
	       "types          types of vGPU of each GPU\n"
	       "ecc            ECC mode, error counters and spare pages\n"
	       "retired-pages  pages of VRAM that are out of use\n"
	       "screenshot     what a head of a vGPU shows, as a PNG in FILE; -\n"
	       "               for standard output\n"
	       "\n"
	       "Exit status: 0, 1 after an error, 2 for wrong usage, 3 for a head that "
	       "shows nothing.",
};

int main(int argc, char **argv)
{
	struct smi_command command = {
		.options.sysfs = "/sys",
	};
	int status;

	argp_err_exit_status = SMI_EXIT_USAGE;
	if (argp_parse(&smi_argp, argc, argv, 0, NULL, &command))
		return SMI_EXIT_USAGE;
	if (!command.options.dir)
		command.options.dir = SMI_DEFAULT_DIR;

	status = command.verb->run(&command.options);
	/* What nobody could read is not success. */
	if (fflush(stdout) || ferror(stdout)) {
		smi_error("standard output: %s", strerror(errno));
		status = SMI_EXIT_ERROR;
	}
	return status;
}
