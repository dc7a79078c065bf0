/*
 * Plays the camera's optics: writes the JPEGs of a pack to a v4l2loopback node as MJPG, one after the other, for ever.
 *
 *   feeder NODE PACK [FRAMES_PER_SECOND]
 *
 * A pack is frames one after the other, each behind its length as 32 bits little-endian (frames.py writes it). Frames go
 * out on a grid of CLOCK_MONOTONIC, so that a late one does not delay those after it. The node is opened by a name of the
 * feeder's own, /dev/car-vm-N: the optics are no program on the car that has its camera open, and are not to be taken for
 * one. Ends with 1 and a reason where the node or the pack fails; with 3 where the node has gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 640, HEIGHT = 480, MOST_FRAMES = 4096 };

static int fail(const char *doing, const char *what)
{
	fprintf(stderr, "feeder: %s %s: %s\n", doing, what, strerror(errno));
	return errno == ENODEV ? 3 : 1;
}

static unsigned char *read_pack(const char *path, size_t *size)
{
	struct stat about;
	int file = open(path, O_RDONLY);
	unsigned char *pack;
	size_t at = 0;

	if (file < 0 || fstat(file, &about) != 0)
		return NULL;
	*size = about.st_size;
	pack = malloc(*size);
	while (pack && at < *size) {
		ssize_t got = read(file, pack + at, *size - at);

		if (got <= 0)
			return NULL;
		at += got;
	}
	close(file);
	return pack;
}

static int open_node(const char *path)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT };
	struct stat about;
	char own[64];
	int node;

	if (stat(path, &about) != 0)
		return -1;
	snprintf(own, sizeof(own), "/dev/car-vm-%u", minor(about.st_rdev));
	unlink(own);
	if (mknod(own, S_IFCHR | 0600, about.st_rdev) != 0)
		return -1;
	node = open(own, O_RDWR);
	if (node < 0)
		return -1;
	format.fmt.pix.width = WIDTH;
	format.fmt.pix.height = HEIGHT;
	format.fmt.pix.pixelformat = V4L2_PIX_FMT_MJPEG;
	format.fmt.pix.field = V4L2_FIELD_NONE;
	format.fmt.pix.sizeimage = WIDTH * HEIGHT * 2;
	return ioctl(node, VIDIOC_S_FMT, &format) == 0 ? node : -1;
}

int main(int count, char **words)
{
	static const unsigned char *frames[MOST_FRAMES];
	static uint32_t sizes[MOST_FRAMES];
	size_t size = 0, at = 0, known = 0;
	long period = 1000000000L / (count > 3 && atoi(words[3]) > 0 ? atoi(words[3]) : 30);
	struct timespec due;
	unsigned char *pack;
	int node;

	if (count < 3) {
		fprintf(stderr, "usage: feeder NODE PACK [FRAMES_PER_SECOND]\n");
		return 2;
	}
	pack = read_pack(words[2], &size);
	if (!pack)
		return fail("reading", words[2]);
	while (at + 4 <= size && known < MOST_FRAMES) {
		sizes[known] = pack[at] | pack[at + 1] << 8 | pack[at + 2] << 16 | (uint32_t)pack[at + 3] << 24;
		frames[known] = pack + at + 4;
		at += 4 + sizes[known++];
	}
	if (known == 0 || at != size) {
		fprintf(stderr, "feeder: %s is no pack of frames\n", words[2]);
		return 1;
	}
	node = open_node(words[1]);
	if (node < 0)
		return fail("opening", words[1]);
	clock_gettime(CLOCK_MONOTONIC, &due);
	for (size_t next = 0;; next = (next + 1) % known) {
		if (write(node, frames[next], sizes[next]) < 0)
			return fail("writing to", words[1]);
		due.tv_nsec += period;
		if (due.tv_nsec >= 1000000000L) {
			due.tv_nsec -= 1000000000L;
			due.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
	}
}
