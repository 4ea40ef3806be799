#define G_LOG_DOMAIN "tracery-ui"

#include "ui/panels/outline_view.h"

#include <glib/gi18n.h>
#include <math.h>

#include "app/outline.h"
#include "ui/common/words.h"

struct _TrcOutlineView {
  GtkWidget parent_instance;
  TrcSession *session;
  GtkWidget *scroller;
  GtkWidget *list;
  GtkSingleSelection *choice;
  GHashTable *expanded; /* labels of the groups that are open */
  gboolean syncing;     /* the session is being followed, not led */
};

G_DEFINE_FINAL_TYPE (TrcOutlineView, trc_outline_view, GTK_TYPE_WIDGET)

/* ---- rows ---- */

static void
on_setup (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer unused)
{
  GtkWidget *expander = gtk_tree_expander_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *name = trc_label_new ("", "trc-name");
  GtkWidget *share = trc_label_new ("", "trc-share");

  gtk_label_set_ellipsize (GTK_LABEL (name), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (name, TRUE);
  gtk_box_append (GTK_BOX (box), name);
  gtk_box_append (GTK_BOX (box), share);
  gtk_tree_expander_set_child (GTK_TREE_EXPANDER (expander), box);
  gtk_list_item_set_child (item, expander);
}

static void
on_bind (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer unused)
{
  GtkTreeListRow *row = gtk_list_item_get_item (item);
  GtkTreeExpander *expander = GTK_TREE_EXPANDER (gtk_list_item_get_child (item));
  GtkWidget *name = gtk_widget_get_first_child (gtk_tree_expander_get_child (expander));
  GtkWidget *share = gtk_widget_get_next_sibling (name);
  g_autoptr (TrcOutlineItem) thing = gtk_tree_list_row_get_item (row);
  double value = trc_outline_item_get_share (thing);
  g_autofree char *number = isnan (value) ? g_strdup ("") : g_strdup_printf ("%.2f", value);
  g_autofree char *spoken =
      isnan (value)
          ? g_strdup (trc_outline_item_get_label (thing))
          : g_strdup_printf (_ ("%s, share %s"), trc_outline_item_get_label (thing), number);

  gtk_tree_expander_set_list_row (expander, row);
  gtk_label_set_text (GTK_LABEL (name), trc_outline_item_get_label (thing));
  gtk_label_set_text (GTK_LABEL (share), number);
  gtk_widget_set_visible (share, number[0] != '\0');
  trc_name_widget (GTK_WIDGET (expander), spoken, FALSE);
  gtk_widget_set_tooltip_text (GTK_WIDGET (expander), trc_outline_item_get_label (thing));
  if (trc_outline_item_get_children (thing) != NULL)
    gtk_widget_add_css_class (name, "trc-group");
  else
    gtk_widget_remove_css_class (name, "trc-group");
}

static GListModel *
children_of (gpointer item, gpointer unused)
{
  GListModel *children = trc_outline_item_get_children (item);

  return children != NULL ? g_object_ref (children) : NULL;
}

/* ---- following the session ---- */

static GtkTreeListModel *
tree_of (TrcOutlineView *self)
{
  GListModel *model = gtk_single_selection_get_model (self->choice);

  return model != NULL ? GTK_TREE_LIST_MODEL (model) : NULL;
}

static void
remember_expanded (TrcOutlineView *self)
{
  GListModel *rows = G_LIST_MODEL (tree_of (self));

  if (rows == NULL)
    return;
  g_hash_table_remove_all (self->expanded);
  for (guint i = 0; i < g_list_model_get_n_items (rows); i++)
    {
      g_autoptr (GtkTreeListRow) row = g_list_model_get_item (rows, i);
      g_autoptr (TrcOutlineItem) thing = gtk_tree_list_row_get_item (row);

      if (gtk_tree_list_row_get_expanded (row))
        g_hash_table_add (self->expanded, g_strdup (trc_outline_item_get_label (thing)));
    }
}

static void
expand_remembered (TrcOutlineView *self)
{
  GListModel *rows = G_LIST_MODEL (tree_of (self));

  for (guint i = 0; i < g_list_model_get_n_items (rows); i++)
    {
      g_autoptr (GtkTreeListRow) row = g_list_model_get_item (rows, i);
      g_autoptr (TrcOutlineItem) thing = gtk_tree_list_row_get_item (row);

      if (gtk_tree_list_row_get_depth (row) == 0
          || g_hash_table_contains (self->expanded, trc_outline_item_get_label (thing)))
        gtk_tree_list_row_set_expanded (row, TRUE);
    }
}

static gboolean
row_is (GtkTreeListRow *row, TrcRef wanted)
{
  g_autoptr (TrcOutlineItem) thing = gtk_tree_list_row_get_item (row);
  TrcRef ref;

  return trc_outline_item_get_ref (thing, &ref) && ref.kind == wanted.kind
         && ref.id == wanted.id;
}

/* Opens the group that holds @wanted, if it is closed. */
static void
open_group_of (GListModel *rows, TrcRef wanted)
{
  for (guint i = 0; i < g_list_model_get_n_items (rows); i++)
    {
      g_autoptr (GtkTreeListRow) row = g_list_model_get_item (rows, i);
      g_autoptr (TrcOutlineItem) thing = gtk_tree_list_row_get_item (row);
      GListModel *children = trc_outline_item_get_children (thing);

      if (gtk_tree_list_row_get_depth (row) != 1 || children == NULL
          || gtk_tree_list_row_get_expanded (row))
        continue;
      for (guint k = 0; k < g_list_model_get_n_items (children); k++)
        {
          g_autoptr (TrcOutlineItem) child = g_list_model_get_item (children, k);
          TrcRef ref;

          if (trc_outline_item_get_ref (child, &ref) && ref.kind == wanted.kind
              && ref.id == wanted.id)
            {
              gtk_tree_list_row_set_expanded (row, TRUE);
              return;
            }
        }
    }
}

static void
follow_selection (TrcOutlineView *self)
{
  GListModel *rows = G_LIST_MODEL (tree_of (self));
  guint n;
  const TrcRef *refs = trc_session_get_selection (self->session, &n);
  guint at = GTK_INVALID_LIST_POSITION;

  if (rows == NULL || self->syncing)
    return;
  self->syncing = TRUE;
  if (n > 0)
    open_group_of (rows, refs[0]);
  for (guint i = 0; n > 0 && i < g_list_model_get_n_items (rows); i++)
    {
      g_autoptr (GtkTreeListRow) row = g_list_model_get_item (rows, i);

      if (row_is (row, refs[0]))
        {
          at = i;
          break;
        }
    }
  gtk_single_selection_set_selected (self->choice, at);
  if (at != GTK_INVALID_LIST_POSITION)
    gtk_widget_activate_action (self->list, "list.scroll-to-item", "u", at);
  self->syncing = FALSE;
}

static void
on_scene_changed (TrcOutlineView *self)
{
  GListModel *outline = trc_session_get_outline (self->session);
  g_autoptr (GtkTreeListModel) tree = NULL;

  self->syncing = TRUE;
  remember_expanded (self);
  tree =
      gtk_tree_list_model_new (g_object_ref (outline), FALSE, FALSE, children_of, NULL, NULL);
  gtk_single_selection_set_model (self->choice, G_LIST_MODEL (tree));
  expand_remembered (self);
  self->syncing = FALSE;
  follow_selection (self);
}

static void
on_chosen (TrcOutlineView *self)
{
  GtkTreeListRow *row = gtk_single_selection_get_selected_item (self->choice);
  g_autoptr (TrcOutlineItem) thing = NULL;
  TrcRef ref;

  if (self->syncing || row == NULL)
    return;
  thing = gtk_tree_list_row_get_item (row);
  self->syncing = TRUE;
  if (trc_outline_item_get_ref (thing, &ref))
    trc_session_select (self->session, &ref, 1);
  else
    trc_session_select (self->session, NULL, 0);
  self->syncing = FALSE;
}

/* Enter or double click: groups open and close, things are brought into view. */
static void
on_activate (GtkListView *list, guint position, TrcOutlineView *self)
{
  g_autoptr (GtkTreeListRow) row =
      g_list_model_get_item (G_LIST_MODEL (self->choice), position);

  if (gtk_tree_list_row_is_expandable (row))
    gtk_tree_list_row_set_expanded (row, !gtk_tree_list_row_get_expanded (row));
  else
    gtk_widget_activate_action (GTK_WIDGET (self), "win.zoom-selection", NULL);
}

static void
trc_outline_view_dispose (GObject *object)
{
  TrcOutlineView *self = TRC_OUTLINE_VIEW (object);

  g_clear_object (&self->session);
  g_clear_pointer (&self->scroller, gtk_widget_unparent);
  g_clear_object (&self->choice);
  g_clear_pointer (&self->expanded, g_hash_table_unref);
  G_OBJECT_CLASS (trc_outline_view_parent_class)->dispose (object);
}

static void
trc_outline_view_class_init (TrcOutlineViewClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = trc_outline_view_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static void
trc_outline_view_init (TrcOutlineView *self)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();

  self->expanded = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->choice = gtk_single_selection_new (NULL);
  gtk_single_selection_set_autoselect (self->choice, FALSE);
  gtk_single_selection_set_can_unselect (self->choice, TRUE);
  g_signal_connect (factory, "setup", G_CALLBACK (on_setup), NULL);
  g_signal_connect (factory, "bind", G_CALLBACK (on_bind), NULL);
  self->list = gtk_list_view_new (GTK_SELECTION_MODEL (g_object_ref (self->choice)), factory);
  gtk_widget_add_css_class (self->list, "trc-outline");
  trc_name_widget (self->list, _ ("Outline of the graph"), FALSE);
  g_signal_connect (self->list, "activate", G_CALLBACK (on_activate), self);
  g_signal_connect_object (self->choice, "notify::selected", G_CALLBACK (on_chosen), self,
                           G_CONNECT_SWAPPED);
  self->scroller = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (self->scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (self->scroller), self->list);
  trc_name_widget (self->scroller, _ ("Outline"), FALSE);
  gtk_widget_set_vexpand (GTK_WIDGET (self), TRUE);
  gtk_widget_set_parent (self->scroller, GTK_WIDGET (self));
}

GtkWidget *
trc_outline_view_new (TrcSession *session)
{
  TrcOutlineView *self = g_object_new (TRC_TYPE_OUTLINE_VIEW, NULL);

  self->session = g_object_ref (session);
  g_signal_connect_object (session, "scene-changed", G_CALLBACK (on_scene_changed), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "selection-changed", G_CALLBACK (follow_selection), self,
                           G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
