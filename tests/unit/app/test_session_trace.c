#include "app/session.h"

#define PATIENCE_S 120
#define MODEL "modadd-113"

static char *said;
static TrcGuess *guess;
static GError *guess_error;

static void
on_message (TrcSession *session, const char *sentence, gboolean is_error, gpointer unused)
{
  g_free (said);
  said = g_strdup (sentence);
}

static void
on_guess (GObject *source, GAsyncResult *result, gpointer done)
{
  guess = trc_session_guess_finish (TRC_SESSION (source), result, &guess_error);
  *(gboolean *)done = TRUE;
}

static void
turn (TrcSession *session, gboolean *done)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_S * G_USEC_PER_SEC;

  while (done != NULL ? !*done : trc_session_get_busy (session))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (500);
    }
}

static TrcSession *
session_new (void)
{
  TrcSession *session = trc_session_new ();

  g_clear_pointer (&said, g_free);
  g_signal_connect (session, "message", G_CALLBACK (on_message), NULL);
  return session;
}

static void
session_end (TrcSession *session)
{
  trc_session_close (session);
  while (g_main_context_iteration (NULL, FALSE)) /* answers on their way hold the session */
    ;
  g_assert_finalize_object (session);
  g_clear_pointer (&said, g_free);
}

static gboolean
have_model (void)
{
  g_auto (GStrv) models = trc_session_list_models ();

  if (models != NULL && g_strv_contains ((const char *const *)models, MODEL))
    return TRUE;
  g_test_skip ("the bundled model is not there");
  return FALSE;
}

static void
test_names (void)
{
  const char *const *names = trc_session_list_estimators ();

  g_assert_true (g_strv_contains (names, "auto"));
  g_assert_true (g_strv_contains (names, "relp"));
  g_assert_true (g_strv_contains (names, "exact"));
}

static void
test_unknown_model (void)
{
  TrcSession *session = session_new ();
  TrcTraceRequest request = { .model = "no-such-model", .prompt = "1 + 2 =" };

  trc_session_trace (session, &request);
  turn (session, NULL);
  g_assert_nonnull (strstr (said, "no-such-model"));
  g_assert_null (trc_session_get_digest (session));
  session_end (session);
}

static void
test_guess (void)
{
  TrcSession *session;
  gboolean done = FALSE;
  double sum = 0;

  if (!have_model ())
    return;
  session = session_new ();
  trc_session_guess_async (session, MODEL, "37 + 95 =", NULL, on_guess, &done);
  turn (session, &done);
  g_assert_no_error (guess_error);
  g_assert_cmpuint (guess->n_tokens, ==, 3);
  g_assert_cmpstr (guess->tokens[2], ==, "=");
  g_assert_cmpuint (guess->top->len, ==, 6);
  for (guint i = 0; i < guess->top->len; i++)
    sum += g_array_index (guess->top, TrcPrediction, i).probability;
  g_assert_cmpfloat (sum, <=, 1 + 1e-9);
  g_assert_cmpfloat (g_array_index (guess->top, TrcPrediction, 0).probability, >=,
                     g_array_index (guess->top, TrcPrediction, 1).probability);
  g_clear_pointer (&guess, trc_guess_free);

  done = FALSE;
  trc_session_guess_async (session, MODEL, "nonsense", NULL, on_guess, &done);
  turn (session, &done);
  g_assert_null (guess);
  g_assert_nonnull (strstr (guess_error->message, "nonsense"));
  g_clear_error (&guess_error);
  session_end (session);
}

static void
test_trace_and_cancel (void)
{
  TrcSession *session;
  TrcTraceRequest request = {
    .model = MODEL, .prompt = "3 + 4 =", .target = "7", .foil = "8", .estimator = "relp"
  };

  if (!have_model ())
    return;
  session = session_new ();
  trc_session_trace (session, &request);
  turn (session, NULL);
  g_assert_null (said);
  g_assert_cmpstr (trc_session_get_title (session), ==, "3 + 4 =");
  g_assert_cmpstr (trc_digest_estimator (trc_session_get_digest (session)), ==, "relp");

  request.prompt = "5 + 6 =";
  trc_session_trace (session, &request);
  trc_session_cancel_all (session);
  turn (session, NULL);
  g_assert_cmpstr (said, ==, "Cancelled: Trace “5 + 6 =”.");
  g_assert_cmpstr (trc_session_get_title (session), ==, "3 + 4 =");
  session_end (session);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session-trace/names", test_names);
  g_test_add_func ("/session-trace/unknown-model", test_unknown_model);
  g_test_add_func ("/session-trace/guess", test_guess);
  g_test_add_func ("/session-trace/trace", test_trace_and_cancel);
  return g_test_run ();
}
