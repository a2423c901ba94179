"""Mistakes with pictures that a checker must report, each on the line that ends with `# wrong`."""

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn

model = nn.Linear(3, 2)
y = tc.ones(1, 3).sum()
picture = visualize.draw(y)

visualize.draw(y, direction="up")  # wrong
visualize.draw(y, colour="red")  # wrong
visualize.draw(y, heat="warm")  # wrong
visualize.draw(y, show=["shape"])  # wrong
visualize.trace(lambda x: x, tc.ones(2))  # wrong
picture.render("gif")  # wrong
picture.table("size")  # wrong
visualize.diff(y, y)  # wrong
visualize.diff(picture, picture, heat="time")  # wrong
visualize.record(y, model, notes=3)  # wrong
