"""Builds a scene in Blender and renders it: the only place, with `materials`, that needs `bpy`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Final

import bpy
import cv2
import mathutils
import numpy as np

from models.scenes.camera import Camera
from models.scenes.geometry import Mesh, slab
from models.scenes.materials import identity_material, make_material
from models.scenes.scene import FLOOR_Z, Light, Room, Scene
from models.scenes.thing import Picture, Placed, Region, Surface

#: Environment variable: how many threads Blender may render with; unset, it takes every core.
THREADS: Final = "CLEANDESK_RENDER_THREADS"


def _melt(part: Any, grain: float) -> None:
    remesh = part.modifiers.new("melt", "REMESH")
    remesh.mode, remesh.voxel_size, remesh.use_smooth_shade = "VOXEL", grain, True
    soften = part.modifiers.new("soften", "SMOOTH")
    soften.factor, soften.iterations = 0.5, 10


def _add_mesh(
    mesh: Mesh, surface: Surface, number: int, *, smooth: bool, melt: float = 0.0
) -> None:
    data = bpy.data.meshes.new("part")
    data.from_pydata(mesh.vertices.tolist(), [], [list(face) for face in mesh.faces])
    layer = data.uv_layers.new()
    order = np.empty(len(data.loops), np.int32)
    data.loops.foreach_get("vertex_index", order)
    layer.data.foreach_set("uv", mesh.uv[order].astype(np.float32).ravel())
    if smooth:
        data.shade_smooth()
        data.set_sharp_from_angle(angle=0.7)
    data.materials.append(make_material(surface))
    part = bpy.data.objects.new("part", data)
    part.pass_index = number
    if melt:
        _melt(part, melt)
    bpy.context.scene.collection.objects.link(part)


def _add_placed(placed: Placed, number: int) -> None:
    for part in placed.thing.parts:
        _add_mesh(
            placed.mesh(part),
            part.surface,
            number * part.counts,
            smooth=part.smooth,
            melt=part.melt,
        )


def _add_room(room: Room) -> None:
    width, depth = room.size
    top = slab(width, depth, 0.03, 0.01, 0.003).moved(z=-0.03)
    scale = np.array([width, depth])
    _add_mesh(Mesh(top.vertices, top.faces, top.uv * scale), room.desk, 0, smooth=True)
    for x in (-width / 2 + 0.06, width / 2 - 0.06):
        leg = slab(0.05, depth - 0.1, -FLOOR_Z - 0.03, 0.005).moved(x=x, z=FLOOR_Z)
        _add_mesh(leg, Surface((0.15, 0.15, 0.16), 0.5), 0, smooth=True)
    right, left, back, front = room.walls
    tall, z = 2.5, FLOOR_Z
    spans = (right + left, back + front)
    middle = ((right - left) / 2, (back - front) / 2)
    # Walls overlap at the corners, or light would shine in between them as a bright line.
    _add_mesh(
        slab(spans[0], spans[1], 0.02, 0.001).moved(*middle, z - 0.02), room.floor, 0, smooth=False
    )
    for x in (right + 0.01, -left - 0.01):
        _add_mesh(
            slab(0.02, spans[1] + 0.04, tall, 0.001).moved(x, middle[1], z),
            room.wall,
            0,
            smooth=False,
        )
    for y in (back + 0.01, -front - 0.01):
        _add_mesh(
            slab(spans[0] + 0.04, 0.02, tall, 0.001).moved(middle[0], y, z),
            room.wall,
            0,
            smooth=False,
        )
    for placed in room.furniture:
        _add_placed(placed, 0)


def _add_light(light: Light, gain: float) -> None:
    data = bpy.data.lights.new("light", "AREA")
    data.energy, data.color, data.size = light.power * gain, light.color, light.size
    lamp = bpy.data.objects.new("light", data)
    lamp.location = light.eye
    way = mathutils.Vector(np.subtract(light.target, light.eye))
    lamp.rotation_euler = way.to_track_quat("-Z", "Y").to_euler()
    lamp.visible_camera = False
    bpy.context.scene.collection.objects.link(lamp)


def _set_camera(camera: Camera) -> None:
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.clip_start = "HORIZONTAL", 0.02
    data.angle = np.radians(camera.fov)
    view = bpy.data.objects.new("camera", data)
    matrix = np.eye(4)
    matrix[:3, :3] = camera.axes().T
    matrix[:3, 3] = camera.eye
    view.matrix_world = mathutils.Matrix(matrix.tolist())
    bpy.context.scene.collection.objects.link(view)
    bpy.context.scene.camera = view


def build(scene: Scene) -> None:
    """Replace what Blender holds by a scene; things are numbered from 1 in their order."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    gain = scene.gain()
    tree = world.node_tree
    tree.nodes.clear()
    back = tree.nodes.new("ShaderNodeBackground")
    out = tree.nodes.new("ShaderNodeOutputWorld")
    back.inputs["Color"].default_value = (*scene.ambient[0], 1.0)
    back.inputs["Strength"].default_value = scene.ambient[1] * gain
    tree.links.new(back.outputs[0], out.inputs[0])
    _add_room(scene.room)
    for number, placed in enumerate(scene.things, start=1):
        _add_placed(placed, number)
    for light in scene.lights:
        _add_light(light, gain)
    _set_camera(scene.camera)


def _configure(size: tuple[int, int], samples: int, *, exact: bool) -> None:
    scene = bpy.context.scene
    threads = int(os.environ.get(THREADS, "0"))
    if threads:
        scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.image_settings.compression = 10
    scene.render.dither_intensity = 0
    cycles = scene.cycles
    cycles.device, cycles.samples = "CPU", samples
    cycles.use_denoising = not exact
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_quality, cycles.denoising_prefilter = "FAST", "FAST"
    cycles.use_adaptive_sampling = False
    cycles.max_bounces = 0 if exact else 7
    cycles.diffuse_bounces, cycles.glossy_bounces = 2, 2
    cycles.transmission_bounces = 6
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    cycles.pixel_filter_type = "BOX" if exact else "BLACKMAN_HARRIS"
    cycles.filter_width = 0.01 if exact else 1.5
    scene.view_settings.view_transform = "Raw" if exact else "Standard"
    scene.view_settings.look = "None"


def _shoot() -> Picture:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.png"
        bpy.context.scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        picture = cv2.imread(str(path))
    if picture is None:
        raise RuntimeError(f"Blender wrote no picture to {path}: is there space in its folder?")
    return np.asarray(picture, dtype=np.uint8)


def _frame(size: tuple[int, int], region: Region | None) -> None:
    render = bpy.context.scene.render
    render.use_border = render.use_crop_to_border = region is not None
    if region is not None:
        width, height = size
        render.border_min_x, render.border_max_x = region[0] / width, region[2] / width
        render.border_min_y, render.border_max_y = 1 - region[3] / height, 1 - region[1] / height


def photograph(
    size: tuple[int, int], samples: int, *, contrast: bool = False, region: Region | None = None
) -> Picture:
    """Render what was built.

    Args:
        size: of the whole picture, (width, height).
        samples: light paths per pixel.
        contrast: develop like a contrasty camera instead of plainly.
        region: pixels (x1, y1, x2, y2) to render instead of the whole picture.

    Returns:
        BGR, (height, width, 3), of the region's size if one is given.
    """
    _configure(size, samples, exact=False)
    _frame(size, region)
    view = bpy.context.scene.view_settings
    if contrast:
        view.view_transform = "AgX"
        view.look = "AgX - Medium High Contrast"
    bpy.context.view_layer.material_override = None
    return _shoot()


def identify(size: tuple[int, int]) -> Picture:
    """Render each pixel's thing number (0 for none) at the pixel's centre: (height, width)."""
    _configure(size, 1, exact=True)
    _frame(size, None)
    bpy.context.view_layer.material_override = identity_material()
    picture = _shoot()
    bpy.context.view_layer.material_override = None
    return np.ascontiguousarray(picture[:, :, 2])
