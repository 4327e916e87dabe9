/* VLC 3: plays amt://[SOURCE@]GROUP[:PORT][?relay=ADDR[:PORT]] by Automatic Multicast Tunneling (RFC 7450), with libamt.
 *
 * The payloads of the channel's UDP datagrams become one stream. MPEG-TS in RTP loses its RTP headers; packets stay in the
 * order in which they came.
 */
#include <amt/amt.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vlc_common.h>
#include <vlc_access.h>
#include <vlc_block.h>
#include <vlc_interrupt.h>
#include <vlc_plugin.h>

#define N_(text) (text)

#define RELAY_TEXT N_("AMT relay")
#define RELAY_LONGTEXT N_("Address or name of the relay, with a port or without. By default relays are found.")
#define NATIVE_TEXT N_("Local network first")
#define NATIVE_LONGTEXT N_("Try native multicast before the tunnel. The URL needs a port.")
#define TIMEOUT_TEXT N_("Timeout (ms)")
#define TIMEOUT_LONGTEXT N_("End when nothing came for so long. 0: never.")

/* One block takes the packets that wait, up to this. */
#define BLOCK_OCTETS 65536
#define RTP_HEADER_OCTETS 12
#define RTP_PAYLOAD_TYPE_TS 33
#define TS_SYNC 0x47

struct access_sys_t
{
    amt_receiver *receiver;
    mtime_t timeout; /* microseconds; 0: none */
    mtime_t last_packet;
};

/* Octets of the RTP header before MPEG-TS; 0: none is there (RFC 3550 5.1, RFC 3551 6). */
static size_t rtp_header(const uint8_t *octets, size_t size)
{
    if (size < RTP_HEADER_OCTETS || (octets[0] & 0xc0) != 0x80 || (octets[1] & 0x7f) != RTP_PAYLOAD_TYPE_TS)
        return 0;
    size_t header = RTP_HEADER_OCTETS + 4u * (octets[0] & 0x0fu);
    if ((octets[0] & 0x10) != 0) {
        if (size < header + 4)
            return 0;
        header += 4 + 4 * ((size_t)octets[header + 2] << 8 | octets[header + 3]);
    }
    return size > header && octets[header] == TS_SYNC ? header : 0;
}

static void on_event(void *context, amt_level level, const char *text)
{
    stream_t *access = context;
    if (level >= AMT_LEVEL_WARNING)
        msg_Warn(access, "%s", text);
    else
        msg_Dbg(access, "%s", text);
}

/* Waits until libamt has something to do. False: VLC ends, or the timeout is over. */
static bool wait_for_packets(stream_t *access, bool *eof)
{
    access_sys_t *sys = access->p_sys;
    struct pollfd ready = { .fd = amt_receiver_fd(sys->receiver), .events = POLLIN };
    int wait = amt_receiver_timeout_ms(sys->receiver);
    if (sys->timeout != 0) {
        const mtime_t left = sys->last_packet + sys->timeout - mdate();
        if (left <= 0) {
            char reason[200];
            amt_receiver_silence_reason(sys->receiver, reason, sizeof reason);
            msg_Err(access, "nothing came for %d ms: %s", (int)(sys->timeout / 1000), reason);
            *eof = true;
            return false;
        }
        if (wait < 0 || wait > left / 1000)
            wait = (int)(left / 1000) + 1;
    }
    if (vlc_killed() || (vlc_poll_i11e(&ready, 1, wait) < 0 && errno == EINTR))
        return false;
    if (amt_receiver_process(sys->receiver) != AMT_OK) {
        msg_Err(access, "%s", amt_error_text(amt_receiver_error(sys->receiver)));
        *eof = true;
        return false;
    }
    return true;
}

/* A block with the packets that wait; null: call again, or `eof`. */
static block_t *read_block(stream_t *access, bool *eof)
{
    access_sys_t *sys = access->p_sys;
    amt_packet packet;
    while (!amt_receiver_next(sys->receiver, &packet)) {
        if (!wait_for_packets(access, eof))
            return NULL;
    }
    sys->last_packet = mdate();
    block_t *block = block_Alloc(2 * BLOCK_OCTETS);
    if (!block)
        return NULL;
    block->i_buffer = 0;
    do {
        const size_t header = rtp_header(packet.payload, packet.octets);
        memcpy(block->p_buffer + block->i_buffer, (const uint8_t *)packet.payload + header, packet.octets - header);
        block->i_buffer += packet.octets - header;
    } while (block->i_buffer < BLOCK_OCTETS && amt_receiver_next(sys->receiver, &packet));
    return block;
}

static int control(stream_t *access, int query, va_list args)
{
    switch (query) {
        case STREAM_CAN_SEEK:
        case STREAM_CAN_FASTSEEK:
        case STREAM_CAN_PAUSE:
        case STREAM_CAN_CONTROL_PACE:
            *va_arg(args, bool *) = false;
            return VLC_SUCCESS;
        case STREAM_GET_PTS_DELAY:
            *va_arg(args, int64_t *) = INT64_C(1000) * var_InheritInteger(access, "network-caching");
            return VLC_SUCCESS;
        default:
            return VLC_EGENERIC;
    }
}

static int open_access(vlc_object_t *object)
{
    stream_t *access = (stream_t *)object;
    access_sys_t *sys = vlc_obj_calloc(object, 1, sizeof *sys);
    if (!sys)
        return VLC_ENOMEM;
    amt_receiver_options options = AMT_RECEIVER_OPTIONS_INIT;
    amt_error error;
    char *relay = var_InheritString(access, "amt-relay");
    options.relay = relay;
    options.native = var_InheritBool(access, "amt-native");
    options.on_event = on_event;
    options.event_context = access;
    sys->receiver = amt_receiver_open(access->psz_url, &options, &error);
    free(relay);
    if (!sys->receiver) {
        msg_Err(access, "%s", amt_error_text(&error));
        return VLC_EGENERIC;
    }
    sys->timeout = 1000 * var_InheritInteger(access, "amt-timeout");
    sys->last_packet = mdate();
    access->p_sys = sys;
    access->pf_block = read_block;
    access->pf_control = control;
    return VLC_SUCCESS;
}

static void close_access(vlc_object_t *object)
{
    access_sys_t *sys = ((stream_t *)object)->p_sys;
    amt_receiver_close(sys->receiver);
}

vlc_module_begin()
    set_shortname("AMT")
    set_description(N_("Automatic Multicast Tunneling (RFC 7450)"))
    set_category(CAT_INPUT)
    set_subcategory(SUBCAT_INPUT_ACCESS)
    add_string("amt-relay", NULL, RELAY_TEXT, RELAY_LONGTEXT, false)
    add_bool("amt-native", false, NATIVE_TEXT, NATIVE_LONGTEXT, false)
    add_integer("amt-timeout", 0, TIMEOUT_TEXT, TIMEOUT_LONGTEXT, true)
    set_capability("access", 0)
    add_shortcut("amt")
    set_callbacks(open_access, close_access)
vlc_module_end()
