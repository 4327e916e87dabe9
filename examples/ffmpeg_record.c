/* FFmpeg reads a channel by AVIO: what libavformat finds in it is copied to a file until the program is interrupted.
 *
 *     cc ffmpeg_record.c $(pkg-config --cflags --libs amt libavformat libavcodec libavutil) -o ffmpeg_record
 *     ./ffmpeg_record amt://198.51.100.10@232.1.1.1:5000 recording.ts
 */
#include <amt/amt.h>
#include <libavformat/avformat.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { BUFFER_OCTETS = 65536 };
static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

static int is_interrupted(void *context) {
  (void)context;
  return interrupted;
}

/* What libavformat calls for more octets: those of the next datagram. */
static int read_packet(void *context, uint8_t *octets, int size) {
  amt_receiver *receiver = context;
  for (;;) {
    const long got = amt_receiver_read(receiver, octets, (size_t)size);
    if (got > 0) return (int)(got < size ? got : size);
    if (got == 0) continue;
    struct pollfd ready = {amt_receiver_fd(receiver), POLLIN, 0};
    poll(&ready, 1, amt_receiver_timeout_ms(receiver));
    if (interrupted) return AVERROR_EXIT;
    if (amt_receiver_process(receiver) != AMT_OK) return AVERROR(EIO);
  }
}

/* The same streams in the output. */
static int open_output(AVFormatContext **output, AVFormatContext *input, const char *path) {
  int status = avformat_alloc_output_context2(output, NULL, NULL, path);
  for (unsigned i = 0; status >= 0 && i < input->nb_streams; ++i) {
    AVStream *stream = avformat_new_stream(*output, NULL);
    status = stream ? avcodec_parameters_copy(stream->codecpar, input->streams[i]->codecpar) : AVERROR(ENOMEM);
    if (status >= 0) stream->codecpar->codec_tag = 0;
  }
  if (status >= 0) status = avio_open(&(*output)->pb, path, AVIO_FLAG_WRITE);
  return status >= 0 ? avformat_write_header(*output, NULL) : status;
}

static int record(AVFormatContext *input, AVFormatContext *output) {
  AVPacket *packet = av_packet_alloc();
  int status = packet ? 0 : AVERROR(ENOMEM);
  while (status >= 0 && (status = av_read_frame(input, packet)) >= 0) {
    const AVRational from = input->streams[packet->stream_index]->time_base;
    av_packet_rescale_ts(packet, from, output->streams[packet->stream_index]->time_base);
    status = av_interleaved_write_frame(output, packet);
  }
  av_packet_free(&packet);
  return status == AVERROR_EXIT || status == AVERROR_EOF ? av_write_trailer(output) : status;
}

int main(int argc, char **argv) {
  amt_error error;
  amt_receiver *receiver = argc == 3 ? amt_receiver_open(argv[1], NULL, &error) : NULL;
  if (!receiver) return fprintf(stderr, "%s\n", argc == 3 ? amt_error_text(&error) : "usage: ffmpeg_record URL FILE"), 1;
  struct sigaction action;
  memset(&action, 0, sizeof action); /* without SA_RESTART: poll ends */
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  AVFormatContext *input = avformat_alloc_context(), *output = NULL;
  uint8_t *buffer = av_malloc(BUFFER_OCTETS);
  AVIOContext *io = avio_alloc_context(buffer, BUFFER_OCTETS, 0, receiver, read_packet, NULL, NULL);
  if (!input || !io) return 1;
  input->pb = io;
  input->interrupt_callback.callback = is_interrupted;
  int status = avformat_open_input(&input, NULL, NULL, NULL);
  if (status >= 0) status = avformat_find_stream_info(input, NULL);
  if (status >= 0) status = open_output(&output, input, argv[2]);
  if (status >= 0) status = record(input, output);
  if (status < 0) fprintf(stderr, "%s\n", av_err2str(status));
  if (output) avio_closep(&output->pb);
  avformat_free_context(output);
  avformat_close_input(&input);
  av_freep(&io->buffer);
  avio_context_free(&io);
  amt_receiver_close(receiver);
  return status < 0;
}
