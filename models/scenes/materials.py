"""Blender materials for surfaces."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from models.scenes.thing import Color, Picture, Surface


def _linear(color: Color) -> tuple[float, float, float, float]:
    r, g, b = (float(c) ** 2.2 for c in color)
    return (r, g, b, 1.0)


def _load(picture: Picture) -> Any:
    height, width = picture.shape[:2]
    image = bpy.data.images.new("picture", width, height)
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = picture[::-1].astype(np.float32) / 255
    image.pixels.foreach_set(pixels.ravel())
    return image


def _picture_color(tree: Any, surface: Surface) -> Any:
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = _load(surface.picture) if surface.picture is not None else None
    if surface.scale != 1.0:
        spot = tree.nodes.new("ShaderNodeTexCoord")
        move = tree.nodes.new("ShaderNodeMapping")
        move.inputs["Scale"].default_value = (surface.scale, surface.scale, 1)
        tree.links.new(spot.outputs["UV"], move.inputs["Vector"])
        tree.links.new(move.outputs["Vector"], node.inputs["Vector"])
    return node.outputs["Color"]


def _pattern_color(tree: Any, surface: Surface) -> Any:
    spot = tree.nodes.new("ShaderNodeTexCoord")
    move = tree.nodes.new("ShaderNodeMapping")
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    noise = tree.nodes.new("ShaderNodeTexNoise")
    ramp.color_ramp.elements[0].color = _linear(surface.color)
    ramp.color_ramp.elements[1].color = _linear(surface.second)
    noise.inputs["Detail"].default_value = 6.0
    scale = surface.scale
    if surface.pattern == "wood":
        move.inputs["Scale"].default_value = (1.2 * scale, 22 * scale, 6 * scale)
        noise.inputs["Scale"].default_value = 1.6
        noise.inputs["Distortion"].default_value = 0.6
        noise.inputs["Detail"].default_value = 12.0
        noise.inputs["Roughness"].default_value = 0.62
        ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.3, 0.72
    elif surface.pattern == "marble":
        noise.inputs["Scale"].default_value = scale
        noise.inputs["Distortion"].default_value = 2.5
        ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.52, 0.75
    else:
        noise.inputs["Scale"].default_value = scale
        ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.5, 0.62
    tree.links.new(spot.outputs["Object"], move.inputs["Vector"])
    tree.links.new(move.outputs["Vector"], noise.inputs["Vector"])
    tree.links.new(noise.outputs[0], ramp.inputs["Fac"])
    return ramp.outputs["Color"]


def make_material(surface: Surface) -> Any:
    """Return a new Blender material that looks like the surface."""
    material = bpy.data.materials.new("surface")
    tree = material.node_tree
    tree.nodes.clear()
    shader = tree.nodes.new("ShaderNodeBsdfPrincipled")
    out = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(shader.outputs[0], out.inputs[0])
    inputs = shader.inputs
    inputs["Base Color"].default_value = _linear(surface.color)
    inputs["Roughness"].default_value = surface.roughness
    inputs["Metallic"].default_value = surface.metallic
    inputs["Transmission Weight"].default_value = surface.transmission
    inputs["Coat Weight"].default_value = surface.coat
    inputs["Emission Color"].default_value = _linear(surface.color)
    inputs["Emission Strength"].default_value = surface.emission
    color = None
    if surface.picture is not None:
        color = _picture_color(tree, surface)
    elif surface.pattern:
        color = _pattern_color(tree, surface)
    if color is not None:
        glows = surface.emission > 0
        tree.links.new(color, inputs["Emission Color" if glows else "Base Color"])
    return material


def identity_material() -> Any:
    """Return a material that shines with each object's pass index as its value, of 255."""
    material = bpy.data.materials.new("identity")
    tree = material.node_tree
    tree.nodes.clear()
    info = tree.nodes.new("ShaderNodeObjectInfo")
    scale = tree.nodes.new("ShaderNodeMath")
    scale.operation = "DIVIDE"
    scale.inputs[1].default_value = 255.0
    glow = tree.nodes.new("ShaderNodeEmission")
    out = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(info.outputs["Object Index"], scale.inputs[0])
    tree.links.new(scale.outputs[0], glow.inputs["Color"])
    tree.links.new(glow.outputs[0], out.inputs[0])
    return material
