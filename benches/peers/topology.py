"""The four networks, in numbers. Imports nothing, so that every environment can read it.

Channels; convolutions as (filters, kernel, stride); dense layers per location, before flattening; dense layers of the
middleware; AWS's name of the network; AWS's name of the sensor. As AWS's training code builds them
(deepracer-simapp 1.2.4, `markov/architecture`); `plain` is the one that is just called DEEP_CONVOLUTIONAL_NETWORK.
"""

NETWORKS = {
    "shallow": (1, [(32, 8, 4), (64, 4, 2), (64, 3, 1)], [], [512],
                "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW", "FRONT_FACING_CAMERA"),
    "deep": (1, [(32, 8, 4), (32, 4, 2), (64, 4, 2), (64, 3, 1)], [512, 512], [256, 128],
             "DEEP_CONVOLUTIONAL_NETWORK_DEEP", "FRONT_FACING_CAMERA"),
    "plain": (1, [(32, 5, 2), (32, 3, 1), (64, 3, 2), (64, 3, 1)], [64], [512],
              "DEEP_CONVOLUTIONAL_NETWORK", "FRONT_FACING_CAMERA"),
    "stereo": (2, [(32, 8, 4), (64, 4, 2), (64, 3, 1)], [], [512],
               "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW", "STEREO_CAMERAS"),
}
