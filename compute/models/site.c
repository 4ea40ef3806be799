#define G_LOG_DOMAIN "tracery-compute"

#include "compute/models/pass.h"

static const char *const site_names[TRC_N_SITES] = {
  [TRC_SITE_EMBED] = "embed",
  [TRC_SITE_RESID_PRE] = "resid_pre",
  [TRC_SITE_NORM1_MEAN] = "norm1_mean",
  [TRC_SITE_NORM1_RSTD] = "norm1_rstd",
  [TRC_SITE_NORM1] = "norm1",
  [TRC_SITE_Q] = "q",
  [TRC_SITE_K] = "k",
  [TRC_SITE_V] = "v",
  [TRC_SITE_PATTERN] = "pattern",
  [TRC_SITE_Z] = "z",
  [TRC_SITE_ATTN_OUT] = "attn_out",
  [TRC_SITE_RESID_MID] = "resid_mid",
  [TRC_SITE_NORM2_MEAN] = "norm2_mean",
  [TRC_SITE_NORM2_RSTD] = "norm2_rstd",
  [TRC_SITE_NORM2] = "norm2",
  [TRC_SITE_MLP_PRE] = "mlp_pre",
  [TRC_SITE_MLP_GATE] = "mlp_gate",
  [TRC_SITE_MLP_ACT] = "mlp_act",
  [TRC_SITE_MLP_OUT] = "mlp_out",
  [TRC_SITE_RESID_POST] = "resid_post",
  [TRC_SITE_FINAL_MEAN] = "final_mean",
  [TRC_SITE_FINAL_RSTD] = "final_rstd",
  [TRC_SITE_FINAL] = "final",
  [TRC_SITE_LOGITS] = "logits",
};

const char *
trc_site_name (TrcSite site)
{
  g_return_val_if_fail (site < TRC_N_SITES, NULL);
  return site_names[site];
}

gboolean
trc_site_in_layer (TrcSite site)
{
  return site >= TRC_SITE_RESID_PRE && site <= TRC_SITE_RESID_POST;
}

guint
trc_site_width (TrcSite site, const TrcModelConfig *config)
{
  switch (site)
    {
    case TRC_SITE_NORM1_MEAN:
    case TRC_SITE_NORM1_RSTD:
    case TRC_SITE_NORM2_MEAN:
    case TRC_SITE_NORM2_RSTD:
    case TRC_SITE_FINAL_MEAN:
    case TRC_SITE_FINAL_RSTD:
      return 1;
    case TRC_SITE_Q:
    case TRC_SITE_Z:
      return config->n_heads * config->d_head;
    case TRC_SITE_K:
    case TRC_SITE_V:
      return config->n_kv_heads * config->d_head;
    case TRC_SITE_PATTERN:
      return 0;
    case TRC_SITE_MLP_PRE:
    case TRC_SITE_MLP_GATE:
    case TRC_SITE_MLP_ACT:
      return config->d_mlp;
    case TRC_SITE_LOGITS:
      return config->n_vocab;
    default:
      return config->d_model;
    }
}

gboolean
trc_site_is_last (TrcSite site, guint layer, const TrcModelConfig *config)
{
  if (site >= TRC_SITE_FINAL_MEAN)
    return TRUE;
  if (!trc_site_in_layer (site) || layer + 1 < config->n_layers)
    return FALSE;
  return site == TRC_SITE_Q || site >= TRC_SITE_PATTERN;
}

TrcSite
trc_hook_site (const TrcHook *hook, const TrcModelConfig *config, guint *first, guint *n)
{
  static const TrcSite sites[] = {
    [TRC_HOOK_EMBED] = TRC_SITE_EMBED,
    [TRC_HOOK_RESID_PRE] = TRC_SITE_RESID_PRE,
    [TRC_HOOK_Q] = TRC_SITE_Q,
    [TRC_HOOK_K] = TRC_SITE_K,
    [TRC_HOOK_V] = TRC_SITE_V,
    [TRC_HOOK_HEAD] = TRC_SITE_Z,
    [TRC_HOOK_ATTN] = TRC_SITE_ATTN_OUT,
    [TRC_HOOK_RESID_MID] = TRC_SITE_RESID_MID,
    [TRC_HOOK_NEURON] = TRC_SITE_MLP_ACT,
    [TRC_HOOK_FEATURE] = TRC_SITE_MLP_ACT,
    [TRC_HOOK_MLP] = TRC_SITE_MLP_OUT,
    [TRC_HOOK_RESID_POST] = TRC_SITE_RESID_POST,
    [TRC_HOOK_FINAL] = TRC_SITE_RESID_POST,
    [TRC_HOOK_LOGITS] = TRC_SITE_LOGITS,
  };
  TrcSite site = sites[hook->kind];
  guint group = config->n_heads / config->n_kv_heads;

  *first = 0;
  *n = trc_site_width (site, config);
  switch (hook->kind)
    {
    case TRC_HOOK_Q:
    case TRC_HOOK_HEAD:
      *first = (guint)hook->index * config->d_head;
      *n = config->d_head;
      break;
    case TRC_HOOK_K:
    case TRC_HOOK_V:
      *first = (guint)hook->index / group * config->d_head;
      *n = config->d_head;
      break;
    case TRC_HOOK_NEURON:
      *first = (guint)hook->index;
      *n = 1;
      break;
    default:
      break;
    }
  return site;
}
