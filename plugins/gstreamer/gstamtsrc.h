/* amtsrc: receives a multicast channel by Automatic Multicast Tunneling (RFC 7450), with libamt. */
#pragma once
#include <amt/amt.h>
#include <gst/base/gstpushsrc.h>

#include "gstamtlocation.h"

G_BEGIN_DECLS

#define GST_TYPE_AMT_SRC (gst_amt_src_get_type())
G_DECLARE_FINAL_TYPE(GstAmtSrc, gst_amt_src, GST, AMT_SRC, GstPushSrc)

struct _GstAmtSrc {
  GstPushSrc parent;

  /* Of the properties and the receiver: any thread looks at them under the object's lock. */
  GstAmtLocation location;
  gboolean native;
  GstClockTime timeout; /* 0: none */
  gboolean channel_changed;
  amt_receiver* receiver;
  amt_receiver_statistics reported;

  /* Of the streaming thread alone. */
  GstPoll* poll;
  GstPollFD fd;
  GstBufferPool* pool;
  GstClockTime last_packet; /* by g_get_monotonic_time, in nanoseconds */
  gboolean has_caps;
  GQueue messages; /* of what libamt said, to be posted when the lock is free */
};

/* Under the object's lock, but before and after the streaming thread. */
amt_receiver_statistics gst_amt_src_statistics(const amt_receiver* receiver);

/* What the base class calls. */
gboolean gst_amt_src_start(GstBaseSrc* base);
gboolean gst_amt_src_stop(GstBaseSrc* base);
gboolean gst_amt_src_unlock(GstBaseSrc* base);
gboolean gst_amt_src_unlock_stop(GstBaseSrc* base);
gboolean gst_amt_src_negotiate(GstBaseSrc* base);
GstFlowReturn gst_amt_src_create(GstPushSrc* push, GstBuffer** buffer);

G_END_DECLS
