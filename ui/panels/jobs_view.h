/* ui/panels/jobs_view.h - running jobs with progress, time left and a way to stop them
 */
#pragma once

#include <gtk/gtk.h>

#include "app/session.h"

G_BEGIN_DECLS

/* A section that lists the jobs of @session; hidden while there are none. */
GtkWidget *trc_jobs_view_new (TrcSession *session);

G_END_DECLS
