#define G_LOG_DOMAIN "tracery-compute"

#include "compute/model.h"

#include "compute/models/model_impl.h"

#include "compute/models/data_paths.h"

#include <string.h>

/* --- bundled models --- */

/* The folders that may hold bundled models, best first; NULL-terminated. */
static char **
data_folders (void)
{
  const char *env = g_getenv ("TRACERY_DATA");
  g_autofree char *fetched = g_build_filename (g_get_user_data_dir (), "tracery", NULL);
  const char *candidates[] = { env, TRC_SOURCE_DATA, TRC_INSTALLED_DATA, fetched };
  g_autoptr (GStrvBuilder) out = g_strv_builder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (candidates); i++)
    if (candidates[i] != NULL && candidates[i][0] != '\0')
      g_strv_builder_add (out, candidates[i]);
  return g_strv_builder_end (out);
}

/* The one file of a folder that ends in @suffix and is no tokeniser, or NULL. */
static char *
only_file (const char *folder, const char *suffix)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autofree char *found = NULL;

  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    {
      if (!g_str_has_suffix (name, suffix) || g_str_has_prefix (name, "tok"))
        continue;
      if (found != NULL)
        return NULL;
      found = g_build_filename (folder, name, NULL);
    }
  return g_steal_pointer (&found);
}

static gboolean
is_model_folder (const char *path)
{
  g_autofree char *config = g_build_filename (path, "config.json", NULL);
  g_autofree char *gguf = only_file (path, ".gguf");

  return g_file_test (config, G_FILE_TEST_EXISTS) || gguf != NULL;
}

char *
trc_model_bundled_path (const char *name)
{
  g_auto (GStrv) folders = data_folders ();

  if (name[0] == '\0' || name[0] == '.' || strchr (name, '/') != NULL)
    return NULL;
  for (guint i = 0; folders[i] != NULL; i++)
    {
      g_autofree char *path = g_build_filename (folders[i], "models", name, NULL);

      if (is_model_folder (path))
        return g_steal_pointer (&path);
    }
  return NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

char **
trc_model_list_bundled (void)
{
  g_auto (GStrv) folders = data_folders ();
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; folders[i] != NULL; i++)
    {
      g_autofree char *models = g_build_filename (folders[i], "models", NULL);
      g_autoptr (GDir) dir = g_dir_open (models, 0, NULL);
      const char *name;

      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *path = trc_model_bundled_path (name);

          if (path != NULL
              && !g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
            g_ptr_array_add (names, g_strdup (name));
        }
    }
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (names, FALSE);
}

/* --- life cycle --- */

static void
model_clear (gpointer data)
{
  TrcModel *self = data;

  for (guint i = 0; self->uploads != NULL && i < self->uploads->len; i++)
    trc_upload_clear (self, g_ptr_array_index (self->uploads, i));
  g_clear_pointer (&self->uploads, g_ptr_array_unref);
  g_clear_pointer (&self->files, trc_sources_free);
  g_clear_pointer (&self->id_names, g_ptr_array_unref);
  g_clear_pointer (&self->tokenizer, trc_tokenizer_unref);
  g_free (self->sources);
  g_free (self->no_tokenizer);
  g_free (self->note);
  g_free (self->path);
  g_free (self->name);
  g_mutex_clear (&self->lock);
}

static TrcModel *
model_new (const char *path)
{
  TrcModel *self = g_atomic_rc_box_new0 (TrcModel);
  g_autofree char *full = g_canonicalize_filename (path, NULL);

  g_mutex_init (&self->lock);
  self->path = g_strdup (path);
  self->name = g_path_get_basename (full);
  self->files = trc_sources_new ();
  self->uploads = g_ptr_array_new_with_free_func (trc_upload_free);
  self->id_names = g_ptr_array_new_with_free_func (g_free);
  return self;
}

static char *
find_model (const char *path_or_name, GError **error)
{
  char *bundled;

  if (g_file_test (path_or_name, G_FILE_TEST_EXISTS))
    return g_strdup (path_or_name);
  bundled = trc_model_bundled_path (path_or_name);
  if (bundled == NULL)
    {
      g_auto (GStrv) names = trc_model_list_bundled ();
      g_autofree char *list = g_strjoinv (", ", names);

      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                   "There is no folder \"%s\" and no bundled model of that name%s%s.",
                   path_or_name, list[0] != '\0' ? "; bundled are " : "", list);
    }
  return bundled;
}

static gboolean
open_folder (TrcModel *self, const char *folder, GError **error)
{
  g_autofree char *config = g_build_filename (folder, "config.json", NULL);
  g_autofree char *gguf = NULL, *bin = NULL;

  if (!g_file_test (config, G_FILE_TEST_EXISTS))
    {
      if ((gguf = only_file (folder, ".gguf")) != NULL)
        return trc_model_open_gguf (self, gguf, error);
      if ((bin = only_file (folder, ".bin")) != NULL)
        return trc_model_open_llama2c (self, bin, error);
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
          "%s holds no model: there is no config.json, no single .gguf file and no single "
          "llama2.c .bin file in it.",
          folder);
      return FALSE;
    }
  return trc_config_read (config, &self->config, &self->family, error)
         && trc_sources_add_folder (self->files, folder, error);
}

/* Opens a folder, or one file by its name. */
static gboolean
open_any (TrcModel *self, const char *path, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return open_folder (self, path, error);
  if (g_str_has_suffix (path, ".gguf"))
    return trc_model_open_gguf (self, path, error);
  if (g_str_has_suffix (path, ".bin"))
    return trc_model_open_llama2c (self, path, error);
  g_set_error (
      error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
      "%s is a file; a model is a folder with config.json and model.safetensors, a .gguf "
      "file, or a llama2.c .bin file.",
      path);
  return FALSE;
}

/* A GGUF file brings its tokeniser; other files have it beside them. */
static void
find_tokenizer (TrcModel *self, const char *path)
{
  g_autofree char *beside =
      g_file_test (path, G_FILE_TEST_IS_DIR) || g_str_has_suffix (path, ".gguf")
          ? g_strdup (path)
          : g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  self->tokenizer = trc_tokenizer_open (beside, &error);
  if (self->tokenizer == NULL)
    self->no_tokenizer = g_strdup (error->message);
}

/* A file with some of its biases but none for q, k and v was most likely converted badly: a
 * filter for the masks called "attn.bias" also catches "c_attn.bias". */
static void
note_lost_biases (TrcModel *self)
{
  if (self->config.attn_bias == TRC_BIAS_MAY && trc_model_has_weight (self, TRC_WEIGHT_O_B, 0)
      && !trc_model_has_weight (self, TRC_WEIGHT_Q_B, 0)
      && !trc_model_has_weight (self, TRC_WEIGHT_K_B, 0)
      && !trc_model_has_weight (self, TRC_WEIGHT_V_B, 0))
    self->note =
        g_strdup_printf ("%s has an attention output bias but none for queries, keys and "
                         "values; they count as zero. The file may have lost them.",
                         self->name);
}

TrcModel *
trc_model_open (const char *path_or_name, GError **error)
{
  g_autofree char *path = find_model (path_or_name, error);

  if (path == NULL)
    return NULL;
  g_autoptr (TrcModel) self = model_new (path);
  if (!open_any (self, path, error) || !trc_model_find_weights (self, error))
    return NULL;
  find_tokenizer (self, path);
  note_lost_biases (self);
  return g_steal_pointer (&self);
}

TrcModel *
trc_model_ref (TrcModel *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
trc_model_unref (TrcModel *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, model_clear);
}

const TrcModelConfig *
trc_model_config (const TrcModel *self)
{
  return &self->config;
}

const char *
trc_model_name (const TrcModel *self)
{
  return self->name;
}

const char *
trc_model_note (const TrcModel *self)
{
  return self->note;
}

guint64
trc_model_n_parameters (const TrcModel *self)
{
  guint64 n = 0;
  guint n_in, n_out;

  for (guint role = 0; role < TRC_N_WEIGHTS; role++)
    for (guint l = 0; l < (trc_weight_in_layer (role) ? self->config.n_layers : 1); l++)
      if (self->sources[trc_model_slot (self, role, l)] != NULL)
        {
          trc_model_weight_shape (self, role, &n_in, &n_out);
          n += (guint64)n_in * n_out;
        }
  return n;
}

/* --- weights --- */

gboolean
trc_model_has_weight (const TrcModel *self, TrcWeightRole role, guint layer)
{
  g_return_val_if_fail (role < TRC_N_WEIGHTS, FALSE);
  g_return_val_if_fail (!trc_weight_in_layer (role) || layer < self->config.n_layers, FALSE);
  return self->sources[trc_model_slot (self, trc_model_source_role (self, role), layer)]
         != NULL;
}

gboolean
trc_model_weight_host (TrcModel *self, TrcWeightRole role, guint layer, float *dst, gsize n,
                       GError **error)
{
  guint n_in, n_out;

  g_return_val_if_fail (trc_model_has_weight (self, role, layer), FALSE);
  trc_model_weight_shape (self, role, &n_in, &n_out);
  g_return_val_if_fail (n == (gsize)n_in * n_out, FALSE);
  if (!trc_model_is_out_major (self, role) || n_in == 1)
    return trc_model_fetch (self, role, layer, dst);
  g_autofree float *turned = g_try_new (float, n);
  if (turned == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "There is no memory for the %s.", trc_weight_role_name (role));
      return FALSE;
    }
  if (!trc_model_fetch (self, role, layer, turned))
    return FALSE;
  for (gsize o = 0; o < n_out; o++)
    for (gsize i = 0; i < n_in; i++)
      dst[i * n_out + o] = turned[o * n_in + i];
  return TRUE;
}

/* --- tokens --- */

const TrcTokenizer *
trc_model_tokenizer (const TrcModel *self)
{
  return self->tokenizer;
}

static gboolean
need_tokenizer (const TrcModel *self, GError **error)
{
  if (self->tokenizer == NULL)
    g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                 "%s Give token ids instead of text.", self->no_tokenizer);
  return self->tokenizer != NULL;
}

gboolean
trc_model_tokenize (const TrcModel *self, const char *text, GArray *ids, GArray *spans,
                    GError **error)
{
  guint n = ids->len;

  if (!need_tokenizer (self, error)
      || !trc_tokenizer_encode (self->tokenizer, text, TRC_ENCODE_DEFAULT, ids, spans, error))
    return FALSE;
  for (guint i = n; i < ids->len; i++)
    if (g_array_index (ids, guint32, i) >= self->config.n_vocab)
      {
        g_set_error (
            error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
            "The tokeniser of %s gives the token %u, but the model knows only %u tokens.",
            self->name, g_array_index (ids, guint32, i), self->config.n_vocab);
        g_array_set_size (ids, n);
        return FALSE;
      }
  return TRUE;
}

const char *
trc_model_token_text (TrcModel *self, guint32 id)
{
  const char *text = self->tokenizer != NULL ? trc_tokenizer_text (self->tokenizer, id) : NULL;
  g_autofree char *number = NULL;
  guint at;

  if (text != NULL)
    return text;
  number = g_strdup_printf ("#%u", id);
  g_mutex_lock (&self->lock);
  if (!g_ptr_array_find_with_equal_func (self->id_names, number, g_str_equal, &at))
    {
      at = self->id_names->len;
      g_ptr_array_add (self->id_names, g_steal_pointer (&number));
    }
  text = g_ptr_array_index (self->id_names, at);
  g_mutex_unlock (&self->lock);
  return text;
}

gboolean
trc_model_parse_token (const TrcModel *self, const char *text, guint32 *id, GError **error)
{
  guint64 value;

  if (text[0] == '#' && g_ascii_isdigit (text[1]))
    {
      if (g_ascii_string_to_unsigned (text + 1, 10, 0, G_MAXUINT32, &value, NULL)
          && value < self->config.n_vocab)
        {
          *id = (guint32)value;
          return TRUE;
        }
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                   "\"%s\" is no token id; %s has %u tokens, counted from 0.", text, self->name,
                   self->config.n_vocab);
      return FALSE;
    }
  return need_tokenizer (self, error) && trc_tokenizer_find (self->tokenizer, text, id, error);
}
