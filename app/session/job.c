#define G_LOG_DOMAIN "tracery-app"

#include "app/job.h"

#define SETTLE_SECONDS 0.3 /* before this no pace is worth showing */

struct _TrcJob {
  GObject parent_instance;
  char *title;
  char *text;
  char *error;
  GCancellable *cancellable;
  TrcJobState state;
  double fraction;
  double seconds_left;
  gint64 started_us;

  GMutex mutex; /* guards what the worker writes, until the main loop takes it over */
  double new_fraction;
  char *new_text;
  guint idle_id;
};

enum {
  PROP_0,
  PROP_TITLE,
  PROP_TEXT,
  PROP_FRACTION,
  PROP_SECONDS_LEFT,
  PROP_STATE,
  PROP_ERROR,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (TrcJob, trc_job, G_TYPE_OBJECT)

static void
trc_job_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TrcJob *self = TRC_JOB (object);

  switch (id)
    {
    case PROP_TITLE:
      g_value_set_string (value, self->title);
      break;
    case PROP_TEXT:
      g_value_set_string (value, self->text);
      break;
    case PROP_FRACTION:
      g_value_set_double (value, self->fraction);
      break;
    case PROP_SECONDS_LEFT:
      g_value_set_double (value, self->seconds_left);
      break;
    case PROP_STATE:
      g_value_set_int (value, (int)self->state);
      break;
    case PROP_ERROR:
      g_value_set_string (value, self->error);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
trc_job_finalize (GObject *object)
{
  TrcJob *self = TRC_JOB (object);

  g_free (self->title);
  g_free (self->text);
  g_free (self->error);
  g_free (self->new_text);
  g_clear_object (&self->cancellable);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (trc_job_parent_class)->finalize (object);
}

static void
trc_job_class_init (TrcJobClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->get_property = trc_job_get_property;
  object_class->finalize = trc_job_finalize;
  props[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, flags);
  props[PROP_TEXT] = g_param_spec_string ("text", NULL, NULL, "", flags);
  props[PROP_FRACTION] = g_param_spec_double ("fraction", NULL, NULL, -1, 1, -1, flags);
  props[PROP_SECONDS_LEFT] =
      g_param_spec_double ("seconds-left", NULL, NULL, -1, G_MAXDOUBLE, -1, flags);
  props[PROP_STATE] = g_param_spec_int ("state", NULL, NULL, 0, TRC_JOB_CANCELLED, 0, flags);
  props[PROP_ERROR] = g_param_spec_string ("error", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
trc_job_init (TrcJob *self)
{
  g_mutex_init (&self->mutex);
  self->cancellable = g_cancellable_new ();
  self->text = g_strdup ("");
  self->fraction = -1;
  self->seconds_left = -1;
  self->started_us = g_get_monotonic_time ();
}

TrcJob *
trc_job_new (const char *title)
{
  TrcJob *self = g_object_new (TRC_TYPE_JOB, NULL);

  self->title = g_strdup (title);
  return self;
}

const char *
trc_job_get_title (TrcJob *self)
{
  return self->title;
}

const char *
trc_job_get_text (TrcJob *self)
{
  return self->text;
}

double
trc_job_get_fraction (TrcJob *self)
{
  return self->fraction;
}

double
trc_job_get_seconds_left (TrcJob *self)
{
  return self->seconds_left;
}

TrcJobState
trc_job_get_state (TrcJob *self)
{
  return self->state;
}

const char *
trc_job_get_error (TrcJob *self)
{
  return self->error;
}

GCancellable *
trc_job_get_cancellable (TrcJob *self)
{
  return self->cancellable;
}

void
trc_job_cancel (TrcJob *self)
{
  g_return_if_fail (TRC_IS_JOB (self));
  if (self->state == TRC_JOB_RUNNING)
    g_cancellable_cancel (self->cancellable);
}

/* Takes over what the worker wrote last. */
static void
take_report (TrcJob *self)
{
  g_autofree char *text = NULL;
  double elapsed = (double)(g_get_monotonic_time () - self->started_us) / G_USEC_PER_SEC;

  g_mutex_lock (&self->mutex);
  self->idle_id = 0;
  self->fraction = self->new_fraction;
  text = g_steal_pointer (&self->new_text);
  g_mutex_unlock (&self->mutex);

  if (text != NULL)
    {
      g_free (self->text);
      self->text = g_steal_pointer (&text);
    }
  self->seconds_left = self->fraction > 0 && elapsed > SETTLE_SECONDS
                           ? elapsed * (1 - self->fraction) / self->fraction
                           : -1;
  g_object_freeze_notify (G_OBJECT (self));
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_FRACTION]);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_TEXT]);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_SECONDS_LEFT]);
  g_object_thaw_notify (G_OBJECT (self));
}

static gboolean
report_in_main (gpointer data)
{
  TrcJob *self = data;

  if (self->state == TRC_JOB_RUNNING)
    take_report (self);
  return G_SOURCE_REMOVE;
}

void
trc_job_report (double fraction, const char *text, gpointer data)
{
  TrcJob *self = data;

  g_return_if_fail (TRC_IS_JOB (self));

  g_mutex_lock (&self->mutex);
  self->new_fraction = fraction < 0 ? -1 : MIN (fraction, 1);
  if (text != NULL)
    {
      g_free (self->new_text);
      self->new_text = g_strdup (text);
    }
  if (self->idle_id == 0)
    self->idle_id =
        g_idle_add_full (G_PRIORITY_LOW, report_in_main, g_object_ref (self), g_object_unref);
  g_mutex_unlock (&self->mutex);
}

void
trc_job_finish (TrcJob *self, const GError *error)
{
  g_return_if_fail (TRC_IS_JOB (self));
  if (self->state != TRC_JOB_RUNNING)
    return;

  if (error == NULL)
    {
      self->state = TRC_JOB_DONE;
      self->fraction = 1;
    }
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    self->state = TRC_JOB_CANCELLED;
  else
    {
      self->state = TRC_JOB_FAILED;
      self->error = g_strdup (error->message);
    }
  self->seconds_left = -1;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_FRACTION]);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ERROR]);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
}
