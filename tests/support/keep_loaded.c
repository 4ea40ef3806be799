/* Linked only into programs built with the address sanitizer: what was once loaded stays loaded,
 * so that a leak inside a driver can be told, and suppressed, by the driver's name. */

int dlclose (void *library);

int
dlclose (void *library)
{
  (void)library;
  return 0;
}
