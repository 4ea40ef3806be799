#define G_LOG_DOMAIN "tracery-compute"

#include "compute/models/pass.h"

void
trc_forward_free (TrcForward *self)
{
  if (self == NULL)
    return;
  g_free (self->layer);
  g_free (self->weight);
  g_free (self);
}

TrcForward *
trc_forward_new (TrcTape *tape, TrcModel *model, const TrcForwardParams *params, GError **error)
{
  TrcPass pass;
  TrcVar x;

  if (!trc_pass_init (&pass, tape, model, params, error))
    return NULL;
  x = trc_pass_begin (&pass);
  for (guint l = 0; l < pass.config->n_layers; l++)
    x = trc_pass_layer (&pass, l, x);
  trc_pass_end (&pass, x);
  trc_pass_clear (&pass);
  return pass.out;
}

TrcVar
trc_forward_var (const TrcForward *self, TrcSite site, guint layer)
{
  g_return_val_if_fail (site < TRC_N_SITES, TRC_VAR_NONE);
  if (!trc_site_in_layer (site))
    return self->outer[site];
  g_return_val_if_fail (layer < self->n_layers, TRC_VAR_NONE);
  return self->layer[layer][site];
}

TrcTensor *
trc_forward_tensor (const TrcForward *self, const TrcTape *tape, TrcSite site, guint layer)
{
  static const struct {
    TrcSite mean, rstd, norm;
  } norms[] = { { TRC_SITE_NORM1_MEAN, TRC_SITE_NORM1_RSTD, TRC_SITE_NORM1 },
                { TRC_SITE_NORM2_MEAN, TRC_SITE_NORM2_RSTD, TRC_SITE_NORM2 },
                { TRC_SITE_FINAL_MEAN, TRC_SITE_FINAL_RSTD, TRC_SITE_FINAL } };

  for (guint i = 0; i < G_N_ELEMENTS (norms); i++)
    if (site == norms[i].mean || site == norms[i].rstd)
      {
        TrcVar var = trc_forward_var (self, norms[i].norm, layer);

        /* Without norms the "norm" is the stream itself, which no norm made. */
        if (var == TRC_VAR_NONE || self->norm == TRC_NORM_NONE)
          return NULL;
        return site == norms[i].mean ? trc_tape_norm_mean (tape, var)
                                     : trc_tape_norm_rstd (tape, var);
      }
  return trc_tape_tensor (tape, trc_forward_var (self, site, layer));
}
