/* The streaming thread of amtsrc: from libamt to buffers, and what happens to messages on the bus. */
#include "gstamtsrc.h"

#include <errno.h>

GST_DEBUG_CATEGORY_EXTERN (gst_amt_src_debug);
#define GST_CAT_DEFAULT gst_amt_src_debug

/* A tunnel's packets are no longer; what is (a reassembled datagram) has a buffer of its own. */
#define POOL_BUFFER_OCTETS 2048
/* One push downstream for so many packets. */
#define LIST_PACKETS_MAX 64
/* What was lost is looked at so often. */
#define REPORT_INTERVAL (GST_SECOND)
#define TS_PACKET_OCTETS 188
#define RTP_HEADER_OCTETS 12

static GstClockTime
monotonic_now (void)
{
  return (GstClockTime) g_get_monotonic_time () * GST_USECOND;
}

/* Called by libamt under the object's lock: nothing may be posted here. */
static void
on_event (void *context, amt_level level, const char *text)
{
  GstAmtSrc *self = context;
  static const gchar *const names[] = { "debug", "debug", "info", "warning", "error" };
  GST_INFO_OBJECT (self, "%s", text);
  if (level >= AMT_LEVEL_INFO)
    g_queue_push_tail (&self->messages, gst_structure_new ("amt-event", "level", G_TYPE_STRING, names[MIN (level, 4)],
            "text", G_TYPE_STRING, text, NULL));
}

static void
post_messages (GstAmtSrc *self)
{
  GstStructure *structure;
  while ((structure = g_queue_pop_head (&self->messages)))
    gst_element_post_message (GST_ELEMENT (self), gst_message_new_element (GST_OBJECT (self), structure));
}

amt_receiver_statistics
gst_amt_src_statistics (const amt_receiver *receiver)
{
  amt_receiver_statistics statistics = { sizeof statistics, 0, 0, 0, 0, 0, 0, 0, 0 };
  amt_receiver_get_statistics (receiver, &statistics);
  return statistics;
}

gboolean
gst_amt_src_start (GstBaseSrc *base)
{
  GstAmtSrc *self = GST_AMT_SRC (base);
  amt_receiver_options options = AMT_RECEIVER_OPTIONS_INIT;
  amt_error error;
  options.on_event = on_event;
  options.event_context = self;
  GST_OBJECT_LOCK (self);
  gchar *uri = gst_amt_location_to_uri (&self->location);
  options.native = self->native;
  GST_OBJECT_UNLOCK (self);
  if (!uri) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("No channel was set."), ("Set the property \"group\" or a URL."));
    return FALSE;
  }
  /* A relay's name is looked up here, which may take seconds. */
  amt_receiver *receiver = amt_receiver_open (uri, &options, &error);
  g_free (uri);
  if (!receiver) {
    post_messages (self);
    GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ, ("%s", amt_error_text (&error)), (NULL));
    return FALSE;
  }
  GST_OBJECT_LOCK (self);
  self->receiver = receiver;
  self->channel_changed = FALSE;
  self->reported = gst_amt_src_statistics (receiver);
  GST_OBJECT_UNLOCK (self);
  gst_poll_fd_init (&self->fd);
  self->fd.fd = amt_receiver_fd (receiver);
  gst_poll_add_fd (self->poll, &self->fd);
  gst_poll_fd_ctl_read (self->poll, &self->fd, TRUE);
  self->pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (self->pool);
  gst_buffer_pool_config_set_params (config, NULL, POOL_BUFFER_OCTETS, LIST_PACKETS_MAX, 0);
  gst_buffer_pool_set_config (self->pool, config);
  gst_buffer_pool_set_active (self->pool, TRUE);
  self->last_packet = monotonic_now ();
  self->has_caps = FALSE;
  post_messages (self);
  return TRUE;
}

gboolean
gst_amt_src_stop (GstBaseSrc *base)
{
  GstAmtSrc *self = GST_AMT_SRC (base);
  gst_poll_remove_fd (self->poll, &self->fd);
  GST_OBJECT_LOCK (self);
  amt_receiver *receiver = self->receiver;
  self->receiver = NULL;
  GST_OBJECT_UNLOCK (self);
  amt_receiver_close (receiver);
  if (self->pool) {
    gst_buffer_pool_set_active (self->pool, FALSE);
    gst_clear_object (&self->pool);
  }
  post_messages (self);
  return TRUE;
}

gboolean
gst_amt_src_unlock (GstBaseSrc *base)
{
  gst_poll_set_flushing (GST_AMT_SRC (base)->poll, TRUE);
  return TRUE;
}

gboolean
gst_amt_src_unlock_stop (GstBaseSrc *base)
{
  gst_poll_set_flushing (GST_AMT_SRC (base)->poll, FALSE);
  return TRUE;
}

/* What the payload is, where that can be seen from the first one; null: whatever comes after finds out. */
static GstCaps *
caps_of (const amt_packet *packet)
{
  const guint8 *octets = packet->payload;
  if (packet->octets >= TS_PACKET_OCTETS && octets[0] == 0x47 && packet->octets % TS_PACKET_OCTETS == 0)
    return gst_caps_new_simple ("video/mpegts", "systemstream", G_TYPE_BOOLEAN, TRUE, "packetsize", G_TYPE_INT,
        TS_PACKET_OCTETS, NULL);
  /* Version 2, payload type 33 (RFC 3551 6). */
  if (packet->octets >= RTP_HEADER_OCTETS + TS_PACKET_OCTETS && (octets[0] & 0xc0) == 0x80 && (octets[1] & 0x7f) == 33)
    return gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING, "video", "clock-rate", G_TYPE_INT, 90000,
        "encoding-name", G_TYPE_STRING, "MP2T", "payload", G_TYPE_INT, 33, NULL);
  return NULL;
}

/* A capsfilter behind says what the payload is. */
gboolean
gst_amt_src_negotiate (GstBaseSrc *base)
{
  GstCaps *wanted = gst_pad_peer_query_caps (GST_BASE_SRC_PAD (base), NULL);
  gboolean done = TRUE;
  if (wanted && gst_caps_is_fixed (wanted)) {
    GST_AMT_SRC (base)->has_caps = TRUE;
    done = gst_base_src_set_caps (base, wanted);
  }
  gst_clear_caps (&wanted);
  return done;
}

static GstClockTime
running_time_of_monotonic (GstAmtSrc *self, GstClockTime at)
{
  GstClock *clock = gst_element_get_clock (GST_ELEMENT (self));
  if (!clock)
    return GST_CLOCK_TIME_NONE;
  const GstClockTime now = gst_clock_get_time (clock);
  const GstClockTime monotonic = monotonic_now ();
  const GstClockTime age = monotonic > at ? monotonic - at : 0;
  const GstClockTime base = gst_element_get_base_time (GST_ELEMENT (self));
  gst_object_unref (clock);
  return now > base + age ? now - base - age : 0;
}

static GstBuffer *
buffer_of (GstAmtSrc *self, const amt_packet *packet, GstClockTime time)
{
  GstBuffer *buffer = NULL;
  if (packet->octets > POOL_BUFFER_OCTETS)
    buffer = gst_buffer_new_allocate (NULL, packet->octets, NULL);
  else if (gst_buffer_pool_acquire_buffer (self->pool, &buffer, NULL) != GST_FLOW_OK)
    return NULL;
  if (!buffer)
    return NULL;
  gst_buffer_fill (buffer, 0, packet->payload, packet->octets);
  gst_buffer_set_size (buffer, (gssize) packet->octets);
  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = time;
  return buffer;
}

/* What waits at libamt, up to a list's worth; null: nothing. */
static GstBufferList *
take_packets (GstAmtSrc *self, GstCaps **caps)
{
  GstBufferList *list = NULL;
  amt_packet packet;
  GstClockTime arrival = GST_CLOCK_TIME_NONE;
  GstClockTime time = GST_CLOCK_TIME_NONE;
  for (guint count = 0; count < LIST_PACKETS_MAX && amt_receiver_next (self->receiver, &packet); ++count) {
    /* Packets that were read together arrived together. */
    if ((GstClockTime) packet.arrival_ns != arrival) {
      arrival = (GstClockTime) packet.arrival_ns;
      time = running_time_of_monotonic (self, arrival);
    }
    if (!self->has_caps) {
      *caps = caps_of (&packet);
      self->has_caps = TRUE;
    }
    GstBuffer *buffer = buffer_of (self, &packet, time);
    if (!buffer)
      break;
    if (!list)
      list = gst_buffer_list_new_sized (LIST_PACKETS_MAX);
    gst_buffer_list_add (list, buffer);
  }
  if (list)
    self->last_packet = monotonic_now ();
  return list;
}

/* Under the object's lock. */
static void
report_losses (GstAmtSrc *self)
{
  const amt_receiver_statistics now = gst_amt_src_statistics (self->receiver);
  const amt_receiver_statistics before = self->reported;
  self->reported = now;
  if (now.relay_changes != before.relay_changes)
    g_queue_push_tail (&self->messages, gst_structure_new ("amt-relay-changed", "changes", G_TYPE_UINT64,
            now.relay_changes, NULL));
  if (now.dropped_unread != before.dropped_unread || now.dropped_kernel != before.dropped_kernel
      || now.dropped_damaged != before.dropped_damaged)
    g_queue_push_tail (&self->messages, gst_structure_new ("amt-losses",
            "unread", G_TYPE_UINT64, now.dropped_unread - before.dropped_unread,
            "kernel", G_TYPE_UINT64, now.dropped_kernel - before.dropped_kernel,
            "damaged", G_TYPE_UINT64, now.dropped_damaged - before.dropped_damaged, NULL));
}

/* Under the object's lock. How long to wait for packets. */
static GstClockTime
check_timeout (GstAmtSrc *self)
{
  const int milliseconds = amt_receiver_timeout_ms (self->receiver);
  GstClockTime wait = milliseconds < 0 ? REPORT_INTERVAL : MIN ((GstClockTime) milliseconds * GST_MSECOND, REPORT_INTERVAL);
  if (self->timeout == 0)
    return wait;
  const GstClockTime now = monotonic_now ();
  if (now >= self->last_packet + self->timeout) {
    gchar reason[200];
    amt_receiver_silence_reason (self->receiver, reason, sizeof reason);
    g_queue_push_tail (&self->messages, gst_structure_new ("amt-timeout", "timeout", G_TYPE_UINT64, self->timeout,
            "reason", G_TYPE_STRING, reason, NULL));
    self->last_packet = now;
  }
  return MIN (wait, self->last_packet + self->timeout - now);
}

/* Under the object's lock. */
static void
change_channel (GstAmtSrc *self)
{
  if (!self->channel_changed)
    return;
  self->channel_changed = FALSE;
  gchar *uri = gst_amt_location_to_uri (&self->location);
  if (uri && amt_receiver_join (self->receiver, uri) != AMT_OK)
    on_event (self, AMT_LEVEL_ERROR, amt_error_text (amt_receiver_error (self->receiver)));
  g_free (uri);
}

GstFlowReturn
gst_amt_src_create (GstPushSrc *push, GstBuffer **out)
{
  GstAmtSrc *self = GST_AMT_SRC (push);
  (void) out;
  for (;;) {
    GstCaps *caps = NULL;
    GST_OBJECT_LOCK (self);
    change_channel (self);
    GstClockTime wait = check_timeout (self);
    GST_OBJECT_UNLOCK (self);
    GstBufferList *list = take_packets (self, &caps);
    post_messages (self);
    if (list) {
      if (caps) {
        gst_base_src_set_caps (GST_BASE_SRC (self), caps);
        gst_caps_unref (caps);
      }
      gst_base_src_submit_buffer_list (GST_BASE_SRC (self), list);
      return GST_FLOW_OK;
    }
    if (gst_poll_wait (self->poll, wait) < 0 && errno == EBUSY)
      return GST_FLOW_FLUSHING;
    GST_OBJECT_LOCK (self);
    const amt_status status = amt_receiver_process (self->receiver);
    report_losses (self);
    GST_OBJECT_UNLOCK (self);
    post_messages (self);
    if (status != AMT_OK) {
      GST_ELEMENT_ERROR (self, RESOURCE, READ, ("%s", amt_error_text (amt_receiver_error (self->receiver))), (NULL));
      return GST_FLOW_ERROR;
    }
  }
}
