#include "gstamtlocation.h"

#include <string.h>

#define SCHEME "amt://"
#define RELAY "relay="

/* `[2001:db8::1]` without its brackets; null: brackets that do not fit. */
static gchar *
without_brackets (const gchar *text, gsize length)
{
  if (length == 0)
    return NULL;
  if (text[0] != '[')
    return memchr (text, ']', length) ? NULL : g_strndup (text, length);
  return length > 2 && text[length - 1] == ']' ? g_strndup (text + 1, length - 2) : NULL;
}

/* GROUP[:PORT] */
static gboolean
parse_group (GstAmtLocation *location, const gchar *text, gsize length)
{
  const gchar *colon = g_strrstr_len (text, (gssize) length, ":");
  const gchar *bracket = g_strrstr_len (text, (gssize) length, "]");
  if (colon && (bracket ? colon > bracket : memchr (text, ':', length) == colon)) {
    gchar *digits = g_strndup (colon + 1, length - (gsize) (colon + 1 - text));
    guint64 port = 0;
    gboolean is_port = g_ascii_string_to_unsigned (digits, 10, 1, G_MAXUINT16, &port, NULL);
    g_free (digits);
    if (!is_port)
      return FALSE;
    location->port = (guint) port;
    length = (gsize) (colon - text);
  }
  location->group = without_brackets (text, length);
  return location->group != NULL;
}

static gchar *
relay_in_query (const gchar *query)
{
  gchar **parts = g_strsplit (query, "&", -1);
  gchar *relay = NULL;
  for (gchar **part = parts; *part; ++part) {
    if (g_str_has_prefix (*part, RELAY) && !relay)
      relay = g_uri_unescape_string (*part + strlen (RELAY), NULL);
  }
  g_strfreev (parts);
  return relay;
}

gboolean
gst_amt_location_parse (GstAmtLocation *location, const gchar *uri)
{
  GstAmtLocation parsed = { NULL, NULL, NULL, 0 };
  if (!uri || g_ascii_strncasecmp (uri, SCHEME, strlen (SCHEME)) != 0)
    return FALSE;
  const gchar *channel = uri + strlen (SCHEME);
  const gchar *query = strchr (channel, '?');
  gsize length = query ? (gsize) (query - channel) : strlen (channel);
  while (length != 0 && channel[length - 1] == '/')
    --length;
  const gchar *at = memchr (channel, '@', length);
  if (at) {
    parsed.source = without_brackets (channel, (gsize) (at - channel));
    length -= (gsize) (at + 1 - channel);
    channel = at + 1;
  }
  if ((at && !parsed.source) || !parse_group (&parsed, channel, length)) {
    gst_amt_location_clear (&parsed);
    return FALSE;
  }
  if (query)
    parsed.relay = relay_in_query (query + 1);
  /* A relay that was set as a property stays where the URL names none. */
  if (!parsed.relay)
    parsed.relay = g_strdup (location->relay);
  gst_amt_location_clear (location);
  *location = parsed;
  return TRUE;
}

static void
append_address (GString *uri, const gchar *address)
{
  g_string_append_printf (uri, strchr (address, ':') ? "[%s]" : "%s", address);
}

gchar *
gst_amt_location_to_uri (const GstAmtLocation *location)
{
  if (!location->group)
    return NULL;
  GString *uri = g_string_new (SCHEME);
  if (location->source) {
    append_address (uri, location->source);
    g_string_append_c (uri, '@');
  }
  append_address (uri, location->group);
  if (location->port != 0)
    g_string_append_printf (uri, ":%u", location->port);
  if (location->relay)
    g_string_append_printf (uri, "?" RELAY "%s", location->relay);
  return g_string_free (uri, FALSE);
}

void
gst_amt_location_clear (GstAmtLocation *location)
{
  g_clear_pointer (&location->relay, g_free);
  g_clear_pointer (&location->source, g_free);
  g_clear_pointer (&location->group, g_free);
  location->port = 0;
}
