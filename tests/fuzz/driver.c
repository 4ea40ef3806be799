/* Runs a fuzz target over seeds and deterministic mutations of them.
 *
 * usage: fuzz_NAME FOLDER-OF-SEEDS [ROUNDS]
 *
 * An input that ends the process is left as fuzz_NAME.input in the temporary folder.
 */
#include "tests/fuzz/fuzz.h"

#include <glib.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_ROUNDS 2000

/* What breaks readers more often than random bytes do. */
static const char *const words[] = {
  "null",
  "true",
  "{}",
  "[]",
  "[",
  "]",
  "{",
  "}",
  "\"",
  ",",
  ":",
  "1e999",
  "-1",
  "0",
  "1e-320",
  "NaN",
  "0.0",
  "\\",
  "\\u0000",
  "\\ud800",
  "\xff",
  "->",
  "9223372036854775807",
  "-9223372036854775808",
  "18446744073709551616",
  "2147483648",
  "<q>",
  "a0.h0",
  "\"E\"",
  "3_1_4",
  "%s%n",
  "\n",
};

static char *input_path;
static const GByteArray *current;

/* Only calls that a signal handler may make. */
static void
save_input (int number)
{
  int fd = open (input_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

  if (fd >= 0 && write (fd, current->data, current->len) >= 0)
    close (fd);
  signal (number, SIG_DFL);
  raise (number);
}

static void
try_input (const GByteArray *input)
{
  current = input;
  LLVMFuzzerTestOneInput (input->data, input->len);
}

static guint
below (GRand *rand, guint n)
{
  return n > 0 ? g_rand_int (rand) % n : 0;
}

static void
insert (GByteArray *input, guint at, const guint8 *data, guint len)
{
  guint old = input->len;

  g_byte_array_set_size (input, old + len);
  memmove (input->data + at + len, input->data + at, old - at);
  memcpy (input->data + at, data, len);
}

/* One change: a byte, a word put in or over, a piece cut out or doubled. */
static void
mutate (GByteArray *input, GRand *rand)
{
  guint at = below (rand, input->len), len = 1 + below (rand, 40);
  const char *word = words[below (rand, G_N_ELEMENTS (words))];

  len = MIN (len, input->len - at);
  switch (below (rand, 6))
    {
    case 0:
      if (input->len > 0)
        input->data[at] = (guint8)g_rand_int (rand);
      break;
    case 1:
      insert (input, at, (const guint8 *)word, (guint)strlen (word));
      break;
    case 2:
      if (len > 0)
        g_byte_array_remove_range (input, at, len);
      break;
      case 3: {
        g_autofree guint8 *piece = g_memdup2 (input->data + at, len);
        insert (input, below (rand, input->len), piece, len);
        break;
      }
    case 4: /* a value for another one */
      while (at < input->len && (g_ascii_isalnum (input->data[at]) || input->data[at] == '.'))
        g_byte_array_remove_index (input, at);
      insert (input, MIN (at, input->len), (const guint8 *)word, (guint)strlen (word));
      break;
    default:
      if (below (rand, 8) == 0)
        g_byte_array_set_size (input, at);
    }
}

static void
run_seed (const char *data, gsize len, guint rounds, guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autoptr (GByteArray) input = g_byte_array_new ();

  g_byte_array_append (input, (const guint8 *)data, (guint)len);
  try_input (input);
  for (guint k = 0; k < 50; k++)
    {
      g_byte_array_set_size (input, 0);
      g_byte_array_append (input, (const guint8 *)data, (guint)(len * k / 50));
      try_input (input);
    }
  for (guint k = 0; k < rounds; k++)
    {
      guint changes = 1 + below (rand, 4);

      g_byte_array_set_size (input, 0);
      g_byte_array_append (input, (const guint8 *)data, (guint)len);
      for (guint c = 0; c < changes; c++)
        mutate (input, rand);
      try_input (input);
    }
}

int
main (int argc, char **argv)
{
  guint rounds = argc > 2 ? (guint)atoi (argv[2]) : DEFAULT_ROUNDS, n = 0;
  g_autoptr (GDir) folder = argc > 1 ? g_dir_open (argv[1], 0, NULL) : NULL;
  g_autofree char *base = g_path_get_basename (argv[0]);
  const char *name;

  if (folder == NULL)
    {
      fprintf (stderr, "usage: %s FOLDER-OF-SEEDS [ROUNDS]\n", base);
      return 2;
    }
  g_autofree char *file = g_strconcat (base, ".input", NULL);
  input_path = g_build_filename (g_get_tmp_dir (), file, NULL);
  signal (SIGABRT, save_input);
  signal (SIGSEGV, save_input);
  while ((name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree char *path = g_build_filename (argv[1], name, NULL);
      g_autofree char *data = NULL;
      gsize len;

      if (!g_file_get_contents (path, &data, &len, NULL))
        continue;
      run_seed (data, len, rounds, (guint32)g_str_hash (name));
      printf ("ok %u %s, %u mutations\n", ++n, name, rounds);
    }
  printf ("1..%u\n", n);
  g_free (input_path);
  return n > 0 ? 0 : 1;
}
