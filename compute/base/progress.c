#include "compute/progress.h"

void
trc_progress_report (const TrcProgress *self, double fraction, const char *text)
{
  if (self != NULL && self->report != NULL)
    self->report (fraction, text, self->data);
}

gboolean
trc_progress_cancelled (const TrcProgress *self, GError **error)
{
  return self != NULL && g_cancellable_set_error_if_cancelled (self->cancellable, error);
}
