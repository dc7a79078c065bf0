// SPDX-License-Identifier: GPL-2.0
/*
 * Pulls a camera's plug under whoever streams from it: does to an open video node what a USB driver does when its device
 * goes, through the same call of the kernel. Every later call on the node answers ENODEV. One shot: load it with
 * node=/dev/video0 and mark="TEXT", which goes to the observer's log right before; it never stays loaded (the load answers
 * EAGAIN on purpose). The driver that owned the node must not be unloaded afterwards.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <media/v4l2-dev.h>

static char *node = "/dev/video0";
module_param(node, charp, 0);
MODULE_PARM_DESC(node, "which node goes");

static char *mark = "unplugged";
module_param(mark, charp, 0);
MODULE_PARM_DESC(mark, "what to write to the observer's log");

void drsim_mark(const char *words);

static int __init unplug_init(void)
{
	struct file *file = filp_open(node, O_RDWR | O_NONBLOCK, 0);

	if (IS_ERR(file))
		return PTR_ERR(file);
	drsim_mark(mark);
	if (video_devdata(file))
		video_unregister_device(video_devdata(file));
	filp_close(file, NULL);
	return -EAGAIN;
}

module_init(unplug_init);
MODULE_DESCRIPTION("Pulls a camera's plug");
MODULE_LICENSE("GPL");
