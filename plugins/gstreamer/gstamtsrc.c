/**
 * SECTION:element-amtsrc
 *
 * Receives a multicast channel through an AMT relay, which is found by itself unless it is named; with "native" the local
 * network is tried first. Buffers are UDP payloads with the time of their arrival; MPEG-TS, bare or in RTP, has caps.
 *
 * gst-launch-1.0 playbin uri=amt://198.51.100.10@232.1.2.3:5001
 * gst-launch-1.0 amtsrc source=198.51.100.10 group=232.1.2.3 port=5001 ! tsdemux ! decodebin ! autovideosink
 *
 * Element messages: "amt-event" (level, text), "amt-relay-changed" (changes), "amt-losses" (unread, kernel, damaged: since
 * the one before), "amt-timeout" (timeout, reason). Setting "uri" while it plays changes the channel and keeps the relay.
 */
#include "gstamtsrc.h"

GST_DEBUG_CATEGORY (gst_amt_src_debug);
#define GST_CAT_DEFAULT gst_amt_src_debug

enum
{
  PROP_0,
  PROP_URI,
  PROP_RELAY,
  PROP_SOURCE,
  PROP_GROUP,
  PROP_PORT,
  PROP_NATIVE,
  PROP_TIMEOUT,
  PROP_STATS
};

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void gst_amt_src_uri_handler_init (gpointer iface, gpointer data);

G_DEFINE_TYPE_WITH_CODE (GstAmtSrc, gst_amt_src, GST_TYPE_PUSH_SRC,
    G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, gst_amt_src_uri_handler_init));
GST_ELEMENT_REGISTER_DEFINE (amtsrc, "amtsrc", GST_RANK_PRIMARY, GST_TYPE_AMT_SRC);


static GstStructure *
stats (GstAmtSrc *self)
{
  amt_receiver_statistics now = { sizeof now, 0, 0, 0, 0, 0, 0, 0, 0 };
  GST_OBJECT_LOCK (self);
  if (self->receiver)
    now = gst_amt_src_statistics (self->receiver);
  GST_OBJECT_UNLOCK (self);
  return gst_structure_new ("amt-stats", "packets", G_TYPE_UINT64, now.packets, "octets", G_TYPE_UINT64, now.octets,
      "dropped-unread", G_TYPE_UINT64, now.dropped_unread, "dropped-kernel", G_TYPE_UINT64, now.dropped_kernel,
      "dropped-damaged", G_TYPE_UINT64, now.dropped_damaged, "other-ports", G_TYPE_UINT64, now.other_ports,
      "relay-changes", G_TYPE_UINT64, now.relay_changes, "connected", G_TYPE_BOOLEAN, now.connected != 0, NULL);
}

static gboolean
set_uri (GstAmtSrc *self, const gchar *uri, GError **error)
{
  GST_OBJECT_LOCK (self);
  const gboolean done = gst_amt_location_parse (&self->location, uri);
  self->channel_changed = done && self->receiver;
  GST_OBJECT_UNLOCK (self);
  if (!done)
    g_set_error (error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI, "%s is not amt://[SOURCE@]GROUP[:PORT][?relay=ADDR[:PORT]]",
        uri ? uri : "nothing");
  else
    gst_poll_restart (self->poll);
  return done;
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstAmtSrc *self = GST_AMT_SRC (object);
  if (id == PROP_URI) {
    GError *error = NULL;
    if (!set_uri (self, g_value_get_string (value), &error))
      GST_WARNING_OBJECT (self, "%s", error->message);
    g_clear_error (&error);
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_RELAY:
      g_free (self->location.relay);
      self->location.relay = g_value_dup_string (value);
      break;
    case PROP_SOURCE:
      g_free (self->location.source);
      self->location.source = g_value_dup_string (value);
      break;
    case PROP_GROUP:
      g_free (self->location.group);
      self->location.group = g_value_dup_string (value);
      break;
    case PROP_PORT:
      self->location.port = g_value_get_uint (value);
      break;
    case PROP_NATIVE:
      self->native = g_value_get_boolean (value);
      break;
    case PROP_TIMEOUT:
      self->timeout = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstAmtSrc *self = GST_AMT_SRC (object);
  if (id == PROP_STATS) {
    g_value_take_boxed (value, stats (self));
    return;
  }
  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_URI:
      g_value_take_string (value, gst_amt_location_to_uri (&self->location));
      break;
    case PROP_RELAY:
      g_value_set_string (value, self->location.relay);
      break;
    case PROP_SOURCE:
      g_value_set_string (value, self->location.source);
      break;
    case PROP_GROUP:
      g_value_set_string (value, self->location.group);
      break;
    case PROP_PORT:
      g_value_set_uint (value, self->location.port);
      break;
    case PROP_NATIVE:
      g_value_set_boolean (value, self->native);
      break;
    case PROP_TIMEOUT:
      g_value_set_uint64 (value, self->timeout);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static GstURIType
uri_type (GType type)
{
  (void) type;
  return GST_URI_SRC;
}

static const gchar *const *
uri_protocols (GType type)
{
  static const gchar *const protocols[] = { "amt", NULL };
  (void) type;
  return protocols;
}

static gchar *
handler_uri (GstURIHandler *handler)
{
  GstAmtSrc *self = GST_AMT_SRC (handler);
  GST_OBJECT_LOCK (self);
  gchar *uri = gst_amt_location_to_uri (&self->location);
  GST_OBJECT_UNLOCK (self);
  return uri;
}

static gboolean
set_handler_uri (GstURIHandler *handler, const gchar *uri, GError **error)
{
  return set_uri (GST_AMT_SRC (handler), uri, error);
}

static void
gst_amt_src_uri_handler_init (gpointer iface, gpointer data)
{
  GstURIHandlerInterface *handler = iface;
  (void) data;
  handler->get_type = uri_type;
  handler->get_protocols = uri_protocols;
  handler->get_uri = handler_uri;
  handler->set_uri = set_handler_uri;
}

static void
gst_amt_src_init (GstAmtSrc *self)
{
  self->poll = gst_poll_new (TRUE);
  gst_poll_fd_init (&self->fd);
  g_queue_init (&self->messages);
  gst_base_src_set_live (GST_BASE_SRC (self), TRUE);
  gst_base_src_set_format (GST_BASE_SRC (self), GST_FORMAT_TIME);
}

static void
finalize (GObject *object)
{
  GstAmtSrc *self = GST_AMT_SRC (object);
  gst_amt_location_clear (&self->location);
  g_queue_clear_full (&self->messages, (GDestroyNotify) gst_structure_free);
  gst_poll_free (self->poll);
  G_OBJECT_CLASS (gst_amt_src_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *object)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  const struct { guint id; const gchar *name, *nick, *blurb; } texts[] = {
    { PROP_URI, "uri", "URI", "amt://[SOURCE@]GROUP[:PORT][?relay=ADDR[:PORT]]; while it plays: another channel" },
    { PROP_RELAY, "relay", "Relay", "ADDR[:PORT] or NAME[:PORT]; default: relays are found (RFC 8777)" },
    { PROP_SOURCE, "source", "Source", "Address that the channel comes from; default: any source" },
    { PROP_GROUP, "group", "Group", "Multicast group" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (texts); ++i)
    g_object_class_install_property (object, texts[i].id, g_param_spec_string (texts[i].name, texts[i].nick,
            texts[i].blurb, NULL, flags | (texts[i].id == PROP_URI ? GST_PARAM_MUTABLE_PLAYING : GST_PARAM_MUTABLE_READY)));
  g_object_class_install_property (object, PROP_PORT, g_param_spec_uint ("port", "Port", "UDP port; 0: any", 0,
          G_MAXUINT16, 0, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (object, PROP_NATIVE, g_param_spec_boolean ("native", "Native",
          "Try the local network before the tunnel; needs a port", FALSE, flags | GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (object, PROP_TIMEOUT, g_param_spec_uint64 ("timeout", "Timeout",
          "Post a message amt-timeout when no packet came for so many nanoseconds; 0: never", 0, G_MAXINT64, 0,
          flags | GST_PARAM_MUTABLE_PLAYING));
  g_object_class_install_property (object, PROP_STATS, g_param_spec_boxed ("stats", "Statistics",
          "What was received and lost since the start", GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
gst_amt_src_class_init (GstAmtSrcClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  GstElementClass *element = GST_ELEMENT_CLASS (klass);
  GstBaseSrcClass *base = GST_BASE_SRC_CLASS (klass);
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  install_properties (object);
  gst_element_class_add_static_pad_template (element, &src_template);
  gst_element_class_set_static_metadata (element, "AMT packet receiver", "Source/Network",
      "Receives a multicast channel by Automatic Multicast Tunneling (RFC 7450)", "amtkit maintainers");
  base->start = gst_amt_src_start;
  base->stop = gst_amt_src_stop;
  base->unlock = gst_amt_src_unlock;
  base->unlock_stop = gst_amt_src_unlock_stop;
  base->negotiate = gst_amt_src_negotiate;
  GST_PUSH_SRC_CLASS (klass)->create = gst_amt_src_create;
  GST_DEBUG_CATEGORY_INIT (gst_amt_src_debug, "amtsrc", 0, "AMT packet receiver");
}

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (amtsrc, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, amt, "Automatic Multicast Tunneling (RFC 7450)", plugin_init,
    PACKAGE_VERSION, "BSD", "amtkit", "https://www.rfc-editor.org/rfc/rfc7450")
