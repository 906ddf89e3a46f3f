"""The installed command, as a user meets it."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import COMMAND
from PIL import Image as PillowImage
from support import EXAMPLES, read, write_png
