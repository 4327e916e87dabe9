/* Where a channel is: the properties of amtsrc, and the URL that says the same. */
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/* Addresses without brackets. Null, 0: not given. */
typedef struct {
  gchar* relay; /* ADDR[:PORT], brackets around an IPv6 address with a port */
  gchar* source;
  gchar* group;
  guint port;
} GstAmtLocation;

/* amt://[SOURCE@]GROUP[:PORT][?relay=ADDR[:PORT]] into `location`, whose members are replaced. False: no such URL, and
 * nothing is changed. Whether addresses are addresses is libamt's to say. */
gboolean gst_amt_location_parse(GstAmtLocation* location, const gchar* uri);
/* The URL. Null: there is no group. To be freed by g_free. */
gchar* gst_amt_location_to_uri(const GstAmtLocation* location);
void gst_amt_location_clear(GstAmtLocation* location);

G_END_DECLS
