#!/bin/sh
# Stands for the stock stack: runs until it is stopped, and touches nothing.
exec sleep infinity
