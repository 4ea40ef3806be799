/* ui/window/window_private.h - what the files of the window share */
#pragma once

#include "ui/common/messages.h"
#include "ui/window.h"

G_BEGIN_DECLS

struct _TrcWindow {
  GtkApplicationWindow parent_instance;
  TrcSession *session;
  GtkWidget *title, *subtitle;
  GtkWidget *search;
  GtkWidget *left, *right; /* the panes */
  GtkWidget *canvas;
  GtkWidget *shares;
  GtkWidget *messages;
  GtkWidget *empty; /* what stands on the canvas before the first graph */
  GArray *hits;     /* of guint32: what the search found */
  guint next_hit;
  GtkNativeDialog *chooser;
  GtkWidget *trace_dialog, *export_dialog;
  guint n_jobs;       /* begun so far */
  guint camera_id;    /* timeout that tells where the camera is */
  gboolean new_graph; /* the next scene is of another graph */
};

/* Adds the actions "win.*". */
void trc_window_add_actions (TrcWindow *self);

/* Brings the states and sensitivities of all actions up to date. */
void trc_window_update_actions (TrcWindow *self);

/* Sets the state of a read-only action. */
void trc_window_set_state (TrcWindow *self, const char *name, GVariant *state);

/* Looks for @query and lights what is found; "" ends the search. */
void trc_window_search (TrcWindow *self, const char *query);

/* Selects the next thing that the search found. */
void trc_window_next_hit (TrcWindow *self);

/* The header bar. */
GtkWidget *trc_window_header_new (TrcWindow *self);

G_END_DECLS
